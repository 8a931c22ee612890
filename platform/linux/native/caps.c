#define _GNU_SOURCE
#include "caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"

void caps_lower(uint64_t keep) {
  for (unsigned cap = 0; cap < 64; cap++) {
    if (keep >> cap & 1) continue;
    /* EINVAL: beyond the last one that this kernel knows. */
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL) fail("capabilities", "bounding set");
  }
  caps_set(keep);
}

bool caps_effective(uint64_t effective, uint64_t permitted) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {(uint32_t)effective, (uint32_t)permitted, 0},
      {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), 0},
  };
  return syscall(SYS_capset, &head, data) == 0;
}

void caps_set(uint64_t keep) {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) fail("capabilities", "ambient set");
  if (!caps_effective(keep, keep)) fail("capabilities", "capset");
}
