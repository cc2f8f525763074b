"""Tables of people and programs that may read: accounts, sessions, API tokens, tries at logging in.

Session ids and tokens are 256 random bits and stored as SHA-256; passwords are stored as argon2id.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, Table, Text

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text

# A person. Local accounts have a login name and a password; those of an OpenID provider its issuer and subject.
account = Table(
    "account",
    metadata,
    row_id(),
    text("name"),
    Column("login_name", Text, unique=True),
    Column("subject", Text, unique=True),
    text("password_hash", nullable=True),
    text("role"),
    instant("created_at"),
    instant("last_login_at", nullable=True),
    CheckConstraint("(login_name IS NULL) <> (subject IS NULL)", name="origin"),
)

# Whose devices an account sees; without a row none.
user_organisation = Table(
    "user_organisation",
    metadata,
    Column("account_id", ROW_ID, ForeignKey("account.id"), primary_key=True),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), primary_key=True),
)

session = Table(
    "session",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("account_id", ROW_ID, ForeignKey("account.id"), nullable=False, index=True),
    instant("created_at"),
    instant("seen_at"),
    instant("expires_at"),
    text("address"),
    text("browser"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Text, primary_key=True),
    text("sha256"),
    text("label"),
    text("role"),
    instant("created_at"),
    instant("expires_at"),
    instant("revoked_at", nullable=True),
)

api_token_organisation = Table(
    "api_token_organisation",
    metadata,
    Column("token_id", Text, ForeignKey("api_token.id"), primary_key=True),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), primary_key=True),
)

# Tries at logging in, by hashed account name and by address: a name may be a password typed into the wrong field.
login_try = Table(
    "login_try",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("tries", Integer, nullable=False),
    instant("last_at"),
)
