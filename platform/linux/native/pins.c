#define _GNU_SOURCE
#include "pins.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "covers.h"
#include "mountapi.h"
#include "mountinfo.h"
#include "report.h"

enum { LINK_LIMIT = 40 };

/* Whether names in this folder can be changed by the one who asks. */
static bool writable(const char *folder) { return faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) == 0; }

bool is_loose_file(const char *path) {
  struct stat about;
  char *real = realpath(path, NULL);
  return real && lstat(real, &about) == 0 && !S_ISDIR(about.st_mode) && writable(parent_of(real));
}

static char *link_target(const char *path) {
  char target[PATH_MAX];
  ssize_t size = readlink(path, target, sizeof target - 1);
  if (size < 0) fail("pins", path);
  target[size] = 0;
  return copy_text(target);
}

static void pin(struct list *pins, const char *folder, const char *path) {
  if (writable(folder) && !list_has(pins, path)) list_add(pins, copy_text(path));
}

/* Walks as the kernel does: `done` has no symlinks, `rest` is still to go. */
static void walk(struct list *pins, char *done, char *rest, int links) {
  errno = ELOOP;
  if (links > LINK_LIMIT) fail("pins", done);
  for (char *name = strsep(&rest, "/"); name; name = strsep(&rest, "/")) {
    if (!*name || strcmp(name, ".") == 0) continue;
    if (strcmp(name, "..") == 0) {
      done = parent_of(done);
      continue;
    }
    char *path = join(done, name);
    struct stat about;
    if (lstat(path, &about) < 0) fail("pins", path);
    bool last = !rest || rest[strspn(rest, "/")] == 0;
    if (S_ISLNK(about.st_mode)) {
      pin(pins, done, path);
      char *target = link_target(path);
      char *further = rest && *rest ? text_of("%s/%s", target, rest) : target;
      walk(pins, copy_text(*target == '/' ? "/" : done), further, links + 1);
      return;
    }
    if (!last) pin(pins, done, path);
    done = path;
  }
}

void pins_collect(struct list *pins, const char *path) { walk(pins, copy_text("/"), copy_text(path), 0); }

static int by_length(const void *a, const void *b) {
  size_t left = strlen(*(char *const *)a), right = strlen(*(char *const *)b);
  return left < right ? -1 : left > right;
}

/* What is bound over a pinned path: itself. An absolute symlink gives way to a relative one with the same target,
 * because bubblewrap mounts the jail's tree elsewhere and then looks up every mount point there, through the link. */
static const char *pinned_as(const char *path, bool link, size_t number) {
  const char *target = link ? link_target(path) : "";
  if (*target != '/') return path;
  char *relative = copy_text(target + strspn(target, "/"));
  /* The path has no other symlinks in it: every `/` but the first is one folder to climb. */
  for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/'))
    relative = text_of("../%s", relative);
  char *staged = text_of(STAGING "/l%zu", number);
  if (symlink(*relative ? relative : ".", staged) < 0) fail("pins", path);
  return staged;
}

bool pins_apply(struct list *pins) {
  bool links = false;
  if (pins->count == 0) return false;
  struct list mounts = mounts_read();
  qsort(pins->items, pins->count, sizeof *pins->items, by_length);
  for (size_t i = 0; i < pins->count; i++) {
    const char *path = pins->items[i];
    struct stat about;
    if (lstat(path, &about) < 0) fail("pins", path);
    bool link = S_ISLNK(about.st_mode);
    links = links || link;
    if (!is_mount_point(&mounts, path)) bind_path(pinned_as(path, link, i), path, true, "pins");
  }
  return links;
}
