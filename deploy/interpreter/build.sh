#!/bin/sh
# CPython with OpenSSL, SQLite, zlib and libffi, compiled against an old glibc, for packages that old systems take.
#
#     deploy/interpreter/build.sh [WORK]        (default: build/interpreter)
#
# Prints the Python of an environment made with it, WORK/environment/bin/python, which has no pip: `pip --python` takes
# it. Nothing is done again while the recipe stays the same.
# GLIBC names the glibc (default 2.28: RHEL 8), MIRROR the Debian mirror, PYTHON the Python that gets Zig from PyPI.
#
# Zig's C compiler brings the headers and symbol versions of every glibc, so no old system is needed to compile on. The
# sources are Debian's, with Debian's security patches: apt checks their signatures, sources.sha256 that they are these
# very files. Once Debian has replaced a version, apt does not find it: take the newer version into both files.
# Needs: apt-get, dpkg-dev (dpkg-source), make, autoconf, automake, libtool, libltdl-dev, perl, tcl (tclsh), patch, xz-utils,
# binutils, python3-venv.
set -eu

HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
WORK=${1:-$HERE/../../build/interpreter}
GLIBC=${GLIBC:-2.28}
MIRROR=${MIRROR:-http://deb.debian.org/debian}
PYTHON=${PYTHON:-python3}
SUITE=trixie
CPYTHON=python3.13=3.13.5-2+deb13u5
LIBRARIES="openssl=3.5.7-1~deb13u2 zlib=1:1.3.dfsg+really1.3.1-1 libffi=3.4.8-2 sqlite3=3.46.1-7+deb13u2"

mkdir -p "$WORK"
WORK=$(CDPATH='' cd -- "$WORK" && pwd)
PREFIX=$WORK/python
LIBS=$WORK/libraries
SOURCES=$WORK/sources
TREES=$WORK/trees
JOBS=$(nproc)

recipe() {
    { echo "$GLIBC $PREFIX"; cat "$HERE/build.sh" "$HERE/sources.sha256" "$HERE/zig.txt" "$HERE/_manylinux.py"; } | sha256sum | cut -d' ' -f1
}

say() {
    echo "interpreter: $*" >&2
}

quietly() {
    # What a step says goes to its log, and to stderr only when it fails.
    log=$WORK/logs/$1.log
    shift
    if ! "$@" >>"$log" 2>&1; then
        tail -40 "$log" >&2
        say "failed: $* (all of it in $log)"
        exit 1
    fi
}

fetch_sources() {
    mkdir -p "$SOURCES" "$WORK/apt/lists/partial"
    if (cd "$SOURCES" && sha256sum --check --quiet --strict "$HERE/sources.sha256") >/dev/null 2>&1; then
        return
    fi
    printf 'deb-src %s %s main\n' "$MIRROR" "$SUITE" >"$WORK/apt/sources.list"
    set -- -o "Dir::Etc::sourcelist=$WORK/apt/sources.list" -o Dir::Etc::sourceparts=- \
        -o "Dir::State::lists=$WORK/apt/lists" -o APT::Sandbox::User=
    quietly sources apt-get "$@" update
    # shellcheck disable=SC2086 # a list of words
    (cd "$SOURCES" && quietly sources apt-get "$@" source --download-only $CPYTHON $LIBRARIES)
    (cd "$SOURCES" && sha256sum --check --quiet --strict "$HERE/sources.sha256" >&2)
}

fetch_compiler() {
    quietly zig "$PYTHON" -m venv "$WORK/zig"
    quietly zig "$WORK/zig/bin/pip" install --disable-pip-version-check --require-hashes --requirement "$HERE/zig.txt"
    zig=$("$WORK/zig/bin/python" -c 'import pathlib, ziglang; print(pathlib.Path(ziglang.__file__).with_name("zig"))')
    mkdir -p "$WORK/bin"
    # Zig's own defaults are to trap on undefined behaviour, of which these libraries have their share, and to refuse the
    # date in CPython's version.
    printf '#!/bin/sh\nexec "%s" cc -target %s-linux-gnu.%s -fno-sanitize=undefined -Wno-date-time "$@"\n' \
        "$zig" "$(uname -m)" "$GLIBC" >"$WORK/bin/cc"
    printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$zig" >"$WORK/bin/ar"
    printf '#!/bin/sh\nexec "%s" ranlib "$@"\n' "$zig" >"$WORK/bin/ranlib"
    chmod 755 "$WORK/bin/cc" "$WORK/bin/ar" "$WORK/bin/ranlib"
    ZIG_GLOBAL_CACHE_DIR=$WORK/zig-cache
    CC=$WORK/bin/cc
    AR=$WORK/bin/ar
    RANLIB=$WORK/bin/ranlib
    export ZIG_GLOBAL_CACHE_DIR CC AR RANLIB
}

unpack_library() {
    # All of Debian's patches.
    quietly "$1" dpkg-source --no-check -x "$SOURCES"/"$1"_*.dsc "$TREES/$1"
    cd "$TREES/$1"
}

build_openssl() {
    unpack_library openssl
    # A directory of its own that is nowhere, so that no openssl.cnf of another OpenSSL is read; the system's list of
    # authorities is found by deploy/packages/program.py. Algorithms and protocols that no TLS client or server of today
    # asks for are left out: half of the time, and less to mend.
    quietly openssl perl ./Configure "linux-$(uname -m)" --prefix="$LIBS" --libdir=lib \
        --openssldir=/usr/lib/ictagent/ssl shared no-tests no-docs no-apps no-engine no-legacy no-zlib no-comp no-ssl3 \
        no-quic no-dtls no-cmp no-cms no-ct no-srp no-ts no-ocsp no-rfc3779 no-aria no-bf no-camellia no-cast no-idea \
        no-md4 no-mdc2 no-rc2 no-rc4 no-seed no-sm2 no-sm3 no-sm4 no-whirlpool no-ec2m no-siv no-slh-dsa no-dsa no-gost
    quietly openssl make build_generated
    # Not build_libs, which compiles everything a second time for static libraries.
    # $ORIGIN: libssl finds this libcrypto beside it, not the system's, which may be older.
    # shellcheck disable=SC2016 # make and then its shell expand it
    quietly openssl make -j "$JOBS" LDFLAGS='-Wl,-rpath,\$$ORIGIN' libcrypto.so libssl.so
    cp -R include/openssl "$LIBS/include"
    cp -P libcrypto.so* libssl.so* "$LIBS/lib"
}

build_zlib() {
    unpack_library zlib
    quietly zlib env CFLAGS='-O3 -fPIC' ./configure --static --prefix="$LIBS"
    quietly zlib make -j "$JOBS" libz.a
    quietly zlib make install
}

build_libffi() {
    unpack_library libffi
    quietly libffi autoreconf --install --force
    quietly libffi ./configure --prefix="$LIBS" --libdir="$LIBS/lib" --disable-shared --enable-static --with-pic --disable-docs
    quietly libffi make -j "$JOBS"
    quietly libffi make install
}

build_sqlite() {
    unpack_library sqlite3
    quietly sqlite3 ./configure --disable-tcl --disable-readline
    quietly sqlite3 make sqlite3.c sqlite3.h
    quietly sqlite3 "$CC" -O2 -fPIC -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_ENABLE_COLUMN_METADATA \
        -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION -c sqlite3.c -o sqlite3.o
    quietly sqlite3 "$AR" rcs "$LIBS/lib/libsqlite3.a" sqlite3.o
    quietly sqlite3 cp sqlite3.h sqlite3ext.h "$LIBS/include"
}

build_cpython() {
    version=${CPYTHON#*=}
    tree=$TREES/cpython
    mkdir "$tree"
    tar -xf "$SOURCES/python3.13_${version%%-*}.orig.tar.xz" -C "$tree" --strip-components=1
    tar -xf "$SOURCES/python3.13_$version.debian.tar.xz" -C "$tree"
    cd "$tree"
    SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l debian/changelog -S Timestamp)
    export SOURCE_DATE_EPOCH
    # Debian names fixes *.patch, and its own layout of directories *.diff: we take the fixes and keep Python's layout.
    grep '^[^#]*\.patch$' debian/patches/series | while read -r patch; do
        quietly cpython patch --strip=1 --forward --input="debian/patches/$patch"
    done
    # Zig knows -h only as -soname. libpython3.so, which it cannot link (an ELF file without code), nothing here needs.
    sed -i 's/-Wl,-h\([$a-z]\)/-Wl,-soname,\1/; s/@PY3LIBRARY@//' Makefile.pre.in
    for module in _bz2 _lzma _curses _curses_panel _dbm _gdbm _tkinter _uuid readline; do
        export "py_cv_module_$module=n/a"
    done
    # $ORIGIN: interpreter and modules find the libraries wherever the folder is put; before they are in it, Makefile
    # takes LD_LIBRARY_PATH from configure.
    quietly cpython env LD_LIBRARY_PATH="$LIBS/lib" ./configure --prefix="$PREFIX" --enable-shared --without-ensurepip \
        --disable-test-modules --with-openssl="$LIBS" --with-openssl-rpath=no \
        LDFLAGS="-L$LIBS/lib -Wl,-rpath,'\$\$ORIGIN/../lib' -Wl,-rpath,'\$\$ORIGIN/../..'" CPPFLAGS="-I$LIBS/include" \
        ZLIB_CFLAGS="-I$LIBS/include" ZLIB_LIBS="$LIBS/lib/libz.a" \
        LIBFFI_CFLAGS="-I$LIBS/include" LIBFFI_LIBS="$LIBS/lib/libffi.a" \
        LIBSQLITE3_CFLAGS="-I$LIBS/include" LIBSQLITE3_LIBS="$LIBS/lib/libsqlite3.a -lm"
    mkdir -p "$PREFIX/lib"
    cp -P "$LIBS"/lib/libssl.so* "$LIBS"/lib/libcrypto.so* "$PREFIX/lib"
    strip --strip-unneeded "$PREFIX/lib/libssl.so.3" "$PREFIX/lib/libcrypto.so.3"
    quietly cpython make -j "$JOBS"
    quietly cpython make install
    sed "s/^GLIBC = .*/GLIBC = ($(echo "$GLIBC" | sed 's/\./, /'))/" "$HERE/_manylinux.py" >"$PREFIX/lib/python3.13/_manylinux.py"
}

check() {
    # Every module that ictagent and PyInstaller need, on this system; and the symbols that the files ask for.
    "$PREFIX/bin/python3" -c 'import ctypes, hashlib, sqlite3, ssl, zlib; assert ssl.OPENSSL_VERSION.startswith("OpenSSL 3.5")'
    newest=$(find "$PREFIX" -type f \( -name '*.so*' -o -name 'python3.*' \) -exec objdump -T {} + 2>/dev/null |
        sed -n 's/.*GLIBC_\([0-9.]*\).*/\1/p' | sort -Vu | tail -1)
    if [ "$(printf '%s\n%s\n' "$newest" "$GLIBC" | sort -V | tail -1)" != "$GLIBC" ]; then
        say "asks for glibc $newest, not $GLIBC"
        exit 1
    fi
    say "CPython ${CPYTHON#*=} needs glibc $newest"
}

if [ "$(cat "$WORK/made-of" 2>/dev/null)" != "$(recipe)" ]; then
    rm -rf "$PREFIX" "$LIBS" "$TREES" "$WORK/logs" "$WORK/made-of" "$WORK/zig" "$WORK/environment"
    mkdir -p "$LIBS/lib" "$LIBS/include" "$TREES" "$WORK/logs"
    say "sources from $MIRROR"
    fetch_sources
    fetch_compiler
    for part in zlib libffi sqlite openssl cpython; do
        say "compiling $part"
        "build_$part"
    done
    check
    # An environment for the tools and libraries of the packages; pip comes from Zig's.
    quietly environment "$PREFIX/bin/python3" -m venv --without-pip "$WORK/environment"
    rm -rf "$TREES"
    recipe >"$WORK/made-of"
fi
echo "$WORK/environment/bin/python"
