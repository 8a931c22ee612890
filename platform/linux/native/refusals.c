#define _GNU_SOURCE
#include "refusals.h"

#include <errno.h>
#include <sys/syscall.h>

struct refusal {
  long number;
  int error;
};

/* Numbers above 424 are the same everywhere; old headers lack them. */
enum {
  IO_URING_SETUP = 425,
  IO_URING_ENTER = 426,
  IO_URING_REGISTER = 427,
  OPEN_TREE = 428,
  MOVE_MOUNT = 429,
  FSOPEN = 430,
  FSCONFIG = 431,
  FSMOUNT = 432,
  FSPICK = 433,
  CLONE3 = 435,
  PIDFD_GETFD = 438,
  MOUNT_SETATTR = 442,
  QUOTACTL_FD = 443,
  PROCESS_MRELEASE = 448,
  STATMOUNT = 457,
  LISTMOUNT = 458,
  OPEN_TREE_ATTR = 467,
};

static const struct refusal always[] = {
    /* A second way to every socket call. ENOSYS: runtimes go on without. */
    {IO_URING_SETUP, ENOSYS},
    {IO_URING_ENTER, ENOSYS},
    {IO_URING_REGISTER, ENOSYS},
    /* Its flags lie in memory, where no filter can look; libraries fall back to clone. */
    {CLONE3, ENOSYS},
    /* Mounts of one's own sandbox work with the old calls; these only widen what can be attacked. */
    {OPEN_TREE, ENOSYS},
    {OPEN_TREE_ATTR, ENOSYS},
    {MOVE_MOUNT, ENOSYS},
    {FSOPEN, ENOSYS},
    {FSCONFIG, ENOSYS},
    {FSMOUNT, ENOSYS},
    {FSPICK, ENOSYS},
    {MOUNT_SETATTR, ENOSYS},
    {STATMOUNT, ENOSYS},
    {LISTMOUNT, ENOSYS},
    /* Other processes' memory and descriptors. */
    {SYS_process_vm_readv, EPERM},
    {SYS_process_vm_writev, EPERM},
    {PIDFD_GETFD, EPERM},
    {PROCESS_MRELEASE, EPERM},
    /* Keyrings are shared with the outside: they know users, not namespaces. */
    {SYS_add_key, EPERM},
    {SYS_request_key, EPERM},
    {SYS_keyctl, EPERM},
    /* Files past all mounts. */
    {SYS_open_by_handle_at, EPERM},
    /* The kernel's wide doors. */
    {SYS_bpf, EPERM},
    {SYS_perf_event_open, EPERM},
    {SYS_userfaultfd, EPERM},
    {SYS_kexec_load, EPERM},
    {SYS_init_module, EPERM},
    {SYS_finit_module, EPERM},
    {SYS_delete_module, EPERM},
    {SYS_reboot, EPERM},
    {SYS_swapon, EPERM},
    {SYS_swapoff, EPERM},
    {SYS_acct, EPERM},
    {SYS_quotactl, EPERM},
    {QUOTACTL_FD, EPERM},
    {SYS_syslog, EPERM},
    {SYS_settimeofday, EPERM},
    {SYS_clock_settime, EPERM},
    {SYS_sethostname, EPERM},
    {SYS_setdomainname, EPERM},
    {SYS_vhangup, EPERM},
#ifdef SYS_kexec_file_load
    {SYS_kexec_file_load, EPERM},
#endif
#ifdef SYS_lookup_dcookie
    {SYS_lookup_dcookie, EPERM},
#endif
#ifdef SYS_nfsservctl
    {SYS_nfsservctl, EPERM},
#endif
#ifdef __x86_64__
    {SYS_iopl, EPERM},
    {SYS_ioperm, EPERM},
    {SYS_uselib, EPERM},
    {SYS_modify_ldt, EPERM},
    {SYS__sysctl, EPERM},
    {SYS_create_module, EPERM},
    {SYS_get_kernel_syms, EPERM},
    {SYS_query_module, EPERM},
#endif
};

/* Only of use with namespaces of one's own. */
static const struct refusal without_namespaces[] = {
    {SYS_setns, EPERM}, {SYS_mount, EPERM}, {SYS_umount2, EPERM}, {SYS_pivot_root, EPERM}, {SYS_chroot, EPERM},
};

static void add_each(struct filter *filter, const struct refusal *refusals, size_t count) {
  for (size_t i = 0; i < count; i++) filter_deny(filter, refusals[i].number, refusals[i].error);
}

void refusals_add(struct filter *filter, bool nested) {
  add_each(filter, always, sizeof always / sizeof *always);
  if (!nested) add_each(filter, without_namespaces, sizeof without_namespaces / sizeof *without_namespaces);
}
