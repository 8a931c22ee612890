/* The fallback where overlayfs cannot be used: certificates are a few hundred small files. */
#define _GNU_SOURCE
#include "copytree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "util.h"

struct budget {
  int depth;
  long entries, bytes;
};

static void copy_file(int from, const char *name, int to, struct budget *budget) {
  int source = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  /* What cannot be read outside cannot be read inside. */
  if (source < 0) return;
  int target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (target < 0 && errno == EEXIST) {
    close(source);
    return;
  }
  if (target < 0) fail("copy", name);
  char block[1 << 16];
  for (ssize_t n; (n = read(source, block, sizeof block)) > 0;) {
    budget->bytes -= n;
    errno = EFBIG;
    if (budget->bytes < 0) fail("copy", name);
    if (write_all(target, block, (size_t)n) < 0) fail("copy", name);
  }
  close(source);
  close(target);
}

static void copy_link(int from, const char *name, int to) {
  char target[PATH_MAX];
  ssize_t size = readlinkat(from, name, target, sizeof target - 1);
  if (size < 0) fail("copy", name);
  target[size] = 0;
  if (symlinkat(target, to, name) < 0 && errno != EEXIST) fail("copy", name);
}

static void copy_folder(int from, int to, struct budget *budget);

static void copy_below(int from, const char *name, int to, struct budget *budget) {
  int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (source < 0) return;
  if (mkdirat(to, name, 0755) < 0 && errno != EEXIST) fail("copy", name);
  int target = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (target < 0) fail("copy", name);
  budget->depth--;
  copy_folder(source, target, budget);
  budget->depth++;
  close(target);
}

/* Takes `from`. */
static void copy_folder(int from, int to, struct budget *budget) {
  DIR *folder = fdopendir(from);
  if (!folder) fail("copy", "folder");
  for (struct dirent *entry; (entry = readdir(folder));) {
    struct stat about;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    errno = E2BIG;
    if (--budget->entries < 0 || budget->depth < 0) fail("copy", entry->d_name);
    if (fstatat(from, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0) continue;
    if (S_ISREG(about.st_mode)) copy_file(from, entry->d_name, to, budget);
    if (S_ISLNK(about.st_mode)) copy_link(from, entry->d_name, to);
    if (S_ISDIR(about.st_mode)) copy_below(from, entry->d_name, to, budget);
  }
  closedir(folder);
}

void copy_tree(int from, const char *to) {
  struct budget budget = {8, 20000, 256L << 20};
  int source = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (source < 0 || target < 0) fail("copy", to);
  copy_folder(source, target, &budget);
  close(target);
}
