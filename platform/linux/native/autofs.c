#define _GNU_SOURCE
#include "autofs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountapi.h"
#include "mountinfo.h"
#include "report.h"

struct kept {
  const char *path;
  int tree;
};

static bool covered_later(const struct list *mounts, size_t index) {
  const char *point = ((struct mount_entry *)mounts->items[index])->point;
  for (size_t i = index + 1; i < mounts->count; i++)
    if (strcmp(((struct mount_entry *)mounts->items[i])->point, point) == 0) return true;
  return false;
}

/* Clones of what is mounted below `point`; inner ones come with the outermost. */
static struct list keep_below(const struct list *mounts, const char *point) {
  struct list kept = {0};
  for (size_t i = 0; i < mounts->count; i++) {
    const struct mount_entry *entry = mounts->items[i];
    if (!under(entry->point, point) || strcmp(entry->point, point) == 0) continue;
    if (strcmp(entry->type, "autofs") == 0) continue;
    bool inner = false;
    for (size_t j = 0; j < kept.count; j++) inner |= under(entry->point, ((struct kept *)kept.items[j])->path);
    int tree = inner ? -1 : tree_clone(entry->point, true);
    if (tree < 0) continue;
    struct kept *one = allocate(sizeof *one);
    *one = (struct kept){entry->point, tree};
    list_add(&kept, one);
  }
  return kept;
}

static void put_back(const struct kept *kept, const char *point) {
  char *path = copy_text(kept->path);
  for (char *slash = strchr(path + strlen(point) + 1, '/');; slash = strchr(slash + 1, '/')) {
    if (slash) *slash = 0;
    if (mkdir(path, 0755) < 0 && errno != EEXIST) fail("autofs", path);
    if (!slash) break;
    *slash = '/';
  }
  if (tree_attach(kept->tree, path) < 0) fail("autofs", path);
  close(kept->tree);
}

static void hide(const struct list *mounts, const char *point) {
  struct list kept = keep_below(mounts, point);
  int tree = tmpfs_make(0755);
  if (tree_attach(tree, point) < 0) fail("autofs", point);
  close(tree);
  for (size_t i = 0; i < kept.count; i++) put_back(kept.items[i], point);
  if (attributes_set(point, ATTR_RDONLY, 0, false) < 0) fail("autofs", point);
}

void autofs_hide(void) {
  struct list mounts = mounts_read();
  for (size_t i = 0; i < mounts.count; i++) {
    const struct mount_entry *entry = mounts.items[i];
    /* A direct one that has been triggered shows the real filesystem on top. */
    bool bare = strcmp(entry->type, "autofs") == 0 && !covered_later(&mounts, i);
    /* /proc/sys/fs/binfmt_misc and such go with their folders. */
    if (bare && !under(entry->point, "/proc") && !under(entry->point, "/sys")) hide(&mounts, entry->point);
  }
}
