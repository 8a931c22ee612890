/* Given files, written into a private tmpfs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "covers.h"
#include "report.h"

/* Makes the folders of a relative name; returns the descriptor of the last one. */
static int folder_of(int root, char *name, const char **leaf, const char *step) {
  int folder = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  char *rest = name, *part = strsep(&rest, "/");
  for (; rest; part = strsep(&rest, "/")) {
    if (!*part) continue;
    errno = EINVAL;
    if (strcmp(part, "..") == 0) fail(step, name);
    if (mkdirat(folder, part, 0755) < 0 && errno != EEXIST) fail(step, part);
    int next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (next < 0) fail(step, part);
    close(folder);
    folder = next;
  }
  *leaf = part;
  return folder;
}

static void write_one(int root, const struct jail_file *file, const char *step) {
  const char *leaf = NULL;
  int folder = folder_of(root, copy_text(file->name), &leaf, step);
  int fd = openat(folder, leaf, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) fail(step, file->name);
  if (write_all(fd, file->data, file->size) < 0) fail(step, file->name);
  /* The umask has no say in what the jail reads. */
  if (fchmod(fd, file->mode) < 0) fail(step, file->name);
  close(fd);
  close(folder);
}

void write_files(int folder, const struct list *files, const char *step) {
  for (size_t i = 0; i < files->count; i++) write_one(folder, files->items[i], step);
}
