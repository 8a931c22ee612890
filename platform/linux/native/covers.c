#define _GNU_SOURCE
#include "covers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copytree.h"
#include "hardlinks.h"
#include "mountapi.h"
#include "pins.h"
#include "report.h"
#include "views.h"

char *real_path(const char *path, const char *step) {
  char *real = realpath(path, NULL);
  if (!real) fail(step, path);
  return real;
}

/* An empty or filled read-only tmpfs over a folder. */
static void cover_with(const char *folder, const struct list *files) {
  int tree = tmpfs_make(0755);
  write_files(tree, files, "cover");
  if (tree_attributes(tree, ATTR_RDONLY) < 0) fail("cover", "read-only");
  if (tree_attach(tree, folder) < 0) fail("cover", folder);
  close(tree);
}

static void cover(const struct place *place) {
  char *folder = real_path(place->path, "cover");
  struct list others = views_of(folder), none = {0};
  cover_with(folder, &place->files);
  for (size_t i = 0; i < others.count; i++) {
    const char *view = others.items[i];
    struct stat about;
    if (lstat(view, &about) < 0) fail("cover", view);
    /* A bind of one file out of the folder. */
    if (S_ISDIR(about.st_mode)) cover_with(view, &none);
    else bind_path("/dev/null", view, false, "cover");
  }
}

static void lock(const char *path) {
  bind_path(path, path, true, "read-only");
  if (attributes_set(path, ATTR_RDONLY, 0, true) < 0) fail("read-only", path);
}

static void make_read_only(const char *given) {
  char *path = real_path(given, "read-only");
  struct list others = views_of(path);
  lock(path);
  for (size_t i = 0; i < others.count; i++) lock(others.items[i]);
}

/* A folder of the staging tmpfs holding the place's files. */
static char *staged(const struct place *place, const char *kind, size_t number) {
  char *folder = text_of(STAGING "/%s%zu", kind, number);
  if (mkdir(folder, 0755) < 0 || chmod(folder, 0755) < 0) fail("staging", folder);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail("staging", folder);
  write_files(fd, &place->files, "staging");
  close(fd);
  return folder;
}

static void overlay(const struct place *place, size_t number) {
  char *folder = real_path(place->path, "overlay");
  char *front = staged(place, "o", number);
  int below = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (below < 0) fail("overlay", folder);
  /* By descriptor: a colon or comma in the path would end the option. */
  char *layers = text_of("lowerdir=%s:/proc/self/fd/%d", front, below);
  if (mount("overlay", folder, "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, layers) < 0) {
    /* No overlayfs in user namespaces here (before 5.11, or forbidden): a copy serves as well. */
    copy_tree(below, front);
    bind_path(front, folder, false, "overlay");
    if (attributes_set(folder, ATTR_RDONLY, 0, true) < 0) fail("overlay", folder);
  }
  close(below);
}

static void replace(const struct place *place, size_t number) {
  char *path = realpath(place->path, NULL);
  /* A dangling /etc/resolv.conf: resolvers fall back to 127.0.0.1, where gate answers. */
  if (!path && errno == ENOENT) return;
  if (!path) fail("replaced", place->path);
  bind_path(text_of("%s/content", staged(place, "r", number)), path, false, "replaced");
  if (attributes_set(path, ATTR_RDONLY, 0, false) < 0) fail("replaced", path);
}

static bool pin_all(const struct spec *spec) {
  struct list pins = {0};
  bool files = false;
  for (size_t i = 0; i < spec->read_only.count; i++) {
    pins_collect(&pins, spec->read_only.items[i]);
    files = files || is_loose_file(spec->read_only.items[i]);
  }
  for (size_t i = 0; i < spec->covers.count; i++)
    pins_collect(&pins, ((struct place *)spec->covers.items[i])->path);
  for (size_t i = 0; i < spec->overlays.count; i++)
    pins_collect(&pins, ((struct place *)spec->overlays.items[i])->path);
  return pins_apply(&pins) || files;
}

bool places_apply(const struct spec *spec) {
  int staging = tmpfs_make(0755);
  if (tree_attach(staging, STAGING) < 0) fail("staging", STAGING);
  close(staging);
  hard_links_apply(spec);
  bool files = pin_all(spec);
  for (size_t i = 0; i < spec->read_only.count; i++) make_read_only(spec->read_only.items[i]);
  for (size_t i = 0; i < spec->overlays.count; i++) overlay(spec->overlays.items[i], i);
  for (size_t i = 0; i < spec->replaced.count; i++) replace(spec->replaced.items[i], i);
  if (umount2(STAGING, MNT_DETACH) < 0) fail("staging", "umount");
  /* Last: a read-only folder bound later onto itself would show a covered one below it again. */
  for (size_t i = 0; i < spec->covers.count; i++) cover(spec->covers.items[i]);
  return files;
}
