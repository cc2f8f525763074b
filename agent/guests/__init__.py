"""The guests of this host: virtual machines of QEMU (KVM or emulated; libvirt's, Proxmox's, or run by hand) and
Proxmox's LXC containers, each with its configured size and the processor time it uses here.

No virsh, qm or pct is called, and no daemon is asked. What is needed stands in `/proc` and the cgroup tree, where
everybody may read it: libvirt's socket would take the rights of an administrator (who may write to its read-write
socket is root on the host), a daemon that is busy or restarting would hang a sample, and its library would be a
dependency that half the hosts have in another version. The price: sizes are those that the guest was started with.

Guests of VMware, Hyper-V and Xen hosts are not seen: ESXi runs no agent, a Hyper-V host is Windows, and of Xen's guests
only the devices are processes of its first domain.
"""

NAME = "guests"
