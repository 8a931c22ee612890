#define _GNU_SOURCE
#include "hardlinks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountapi.h"
#include "mountinfo.h"
#include "report.h"
#include "views.h"

/* So deep does the search go; a name further down is missed, and then the run is refused. */
enum { DEPTH = 100 };

/* An entry of a folder, whichever mount shows it. */
struct name {
  dev_t device;
  ino_t folder;
  char *entry;
};

struct linked {
  dev_t device;
  ino_t inode;
  struct list names; /* accounted for: protected, or shut by now */
  nlink_t count;     /* of all names */
  bool hidden;
  const char *path;
  const struct mount_entry *mount;
};

struct search {
  struct list linked, mounts, protected; /* linked: by inode, once all are collected */
  struct list searched;                  /* mounts */
  size_t missing;                        /* names of them that are not accounted for */
  bool hidden;
};

static int by_inode(const void *a, const void *b) {
  ino_t left = (*(struct linked *const *)a)->inode, right = (*(struct linked *const *)b)->inode;
  return left < right ? -1 : left > right;
}

/* The first of those with this inode, on whatever device, or the end. */
static size_t first_with(const struct search *search, ino_t inode) {
  size_t low = 0, high = search->linked.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (((struct linked *)search->linked.items[middle])->inode < inode) low = middle + 1;
    else high = middle;
  }
  return low;
}

static struct linked *known(const struct search *search, const struct stat *about) {
  for (size_t i = 0; i < search->linked.count; i++) {
    struct linked *one = search->linked.items[i];
    if (one->inode == about->st_ino && one->device == about->st_dev) return one;
  }
  return NULL;
}

/* True the first time: a folder can be met twice, and by several mounts. */
static bool add_name(struct linked *one, const char *path) {
  struct stat folder;
  if (lstat(parent_of(path), &folder) < 0) fail("hard-links", path);
  const char *entry = strrchr(path, '/') + 1;
  for (size_t i = 0; i < one->names.count; i++) {
    const struct name *name = one->names.items[i];
    if (name->device == folder.st_dev && name->folder == folder.st_ino && strcmp(name->entry, entry) == 0) return false;
  }
  struct name *name = allocate(sizeof *name);
  *name = (struct name){folder.st_dev, folder.st_ino, copy_text(entry)};
  list_add(&one->names, name);
  return true;
}

static void account(struct search *search, const char *path, const struct stat *about) {
  struct linked *one = known(search, about);
  if (!one) {
    one = allocate(sizeof *one);
    *one = (struct linked){.device = about->st_dev, .inode = about->st_ino, .count = about->st_nlink};
    one->hidden = search->hidden;
    one->path = copy_text(path);
    one->mount = mount_of(&search->mounts, path);
    search->missing += one->count;
    list_add(&search->linked, one);
  }
  /* What is to be hidden is still readable by a name that is only read-only. */
  if (one->hidden == search->hidden && add_name(one, path)) search->missing--;
}

/* Package managers link the files of their trees to a store by the thousand: those trees are left out. */
static bool skipped(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "node_modules") == 0;
}

/* A file that the command could not write by any name needs no search: node of the distribution, say. */
static bool concerns(const struct search *search, const char *path, const struct stat *about) {
  return search->hidden || about->st_uid == geteuid() || faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

static void collect(struct search *search, const char *path, int depth) {
  struct stat about;
  if (lstat(path, &about) < 0) return;
  if (S_ISREG(about.st_mode) && about.st_nlink > 1 && concerns(search, path, &about)) account(search, path, &about);
  DIR *folder = S_ISDIR(about.st_mode) && depth > 0 ? opendir(path) : NULL;
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));)
    if (!skipped(entry->d_name)) collect(search, join(path, entry->d_name), depth - 1);
  closedir(folder);
}

static void collect_below(struct search *search, const char *given, bool hidden) {
  char *path = realpath(given, NULL);
  if (!path) fail("hard-links", given);
  const char *name = strrchr(path, '/');
  search->hidden = hidden;
  if (!name || !skipped(name + 1)) collect(search, path, DEPTH);
  list_add(&search->protected, path);
}

static bool is_protected(const struct search *search, const char *path) {
  for (size_t i = 0; i < search->protected.count; i++)
    if (under(path, search->protected.items[i])) return true;
  return false;
}

static bool is_at(const struct linked *one, const char *path) {
  struct stat about;
  return lstat(path, &about) == 0 && about.st_dev == one->device && about.st_ino == one->inode;
}

static void shut_at(const struct linked *one, const char *path) {
  if (one->hidden) {
    bind_path("/dev/null", path, false, "hard-links");
    return;
  }
  bind_path(path, path, false, "hard-links");
  if (attributes_set(path, ATTR_RDONLY, 0, false) < 0) fail("hard-links", path);
}

static void shut(struct search *search, struct linked *one, const char *path) {
  if (!is_at(one, path) || !add_name(one, path)) return;
  struct list others = views_among(&search->mounts, path);
  shut_at(one, path);
  for (size_t i = 0; i < others.count; i++)
    if (is_at(one, others.items[i])) shut_at(one, others.items[i]);
  search->missing--;
}

/* Every name below a folder and in its mount, but for `except`. Reading folders gives inode numbers, so hardly a file
 * is touched. */
static void look(struct search *search, const char *path, const char *except, int depth) {
  DIR *folder = is_protected(search, path) ? NULL : opendir(path);
  if (!folder) return;
  for (struct dirent *entry; search->missing > 0 && (entry = readdir(folder));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (entry->d_type == DT_DIR) {
      char *below = join(path, entry->d_name);
      bool other = is_mount_point(&search->mounts, below) || (except && strcmp(below, except) == 0);
      if (!other && depth > 0) look(search, below, NULL, depth - 1);
      free(below);
      continue;
    }
    for (size_t i = first_with(search, entry->d_ino); i < search->linked.count; i++) {
      struct linked *one = search->linked.items[i];
      if (one->inode != entry->d_ino) break;
      shut(search, one, join(path, entry->d_name));
    }
  }
  closedir(folder);
}

static bool is_searched(const struct search *search, const struct mount_entry *mount) {
  for (size_t i = 0; i < search->searched.count; i++)
    if (search->searched.items[i] == mount) return true;
  return false;
}

/* All of a file's own mount, what is near first: a package manager's store is seldom far from what it installs. */
static void look_around(struct search *search, const struct linked *one) {
  const char *done = NULL;
  list_add(&search->searched, (void *)(uintptr_t)one->mount);
  for (char *folder = parent_of(one->path); under(folder, one->mount->point); folder = parent_of(folder)) {
    look(search, folder, done, DEPTH);
    done = folder;
    if (strcmp(folder, one->mount->point) == 0) break;
  }
}

static bool same_filesystem(const struct mount_entry *one, const struct mount_entry *other) {
  return one && one->major == other->major && one->minor == other->minor;
}

static bool is_whole(const struct linked *one) { return one->names.count == one->count; }

/* Whether a name that is missing may lie in this mount. */
static bool may_hold(const struct search *search, const struct mount_entry *mount) {
  for (size_t i = 0; i < search->linked.count; i++) {
    const struct linked *one = search->linked.items[i];
    if (!is_whole(one) && same_filesystem(one->mount, mount)) return true;
  }
  return false;
}

void hard_links_apply(const struct spec *spec) {
  struct search search = {.mounts = mounts_read()};
  for (size_t i = 0; i < spec->covers.count; i++)
    collect_below(&search, ((struct place *)spec->covers.items[i])->path, true);
  for (size_t i = 0; i < spec->read_only.count; i++) collect_below(&search, spec->read_only.items[i], false);
  /* Almost always: no file has a name elsewhere, and nothing is searched. */
  if (search.missing == 0) return;
  qsort(search.linked.items, search.linked.count, sizeof *search.linked.items, by_inode);
  for (size_t i = 0; i < search.linked.count; i++) {
    const struct linked *one = search.linked.items[i];
    if (!is_whole(one) && one->mount && !is_searched(&search, one->mount)) look_around(&search, one);
  }
  for (size_t i = 0; i < search.mounts.count; i++) {
    const struct mount_entry *mount = search.mounts.items[i];
    if (may_hold(&search, mount) && !is_searched(&search, mount)) look(&search, mount->point, NULL, DEPTH);
  }
  for (size_t i = 0; i < search.linked.count; i++) {
    const struct linked *one = search.linked.items[i];
    errno = EMLINK;
    if (!is_whole(one)) fail("hard-links", one->path);
  }
}
