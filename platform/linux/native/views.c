#define _GNU_SOURCE
#include "views.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "mountinfo.h"
#include "report.h"

/* A folder of a filesystem that must not be seen elsewhere. */
struct source {
  unsigned major, minor;
  char *folder;
};

static void add_source(struct list *sources, const struct mount_entry *entry, char *folder) {
  struct source *source = allocate(sizeof *source);
  *source = (struct source){entry->major, entry->minor, folder};
  list_add(sources, source);
}

/* `path` with `from` at its beginning exchanged for `to`. */
static char *moved(const char *path, const char *from, const char *to) {
  const char *rest = path + (strcmp(from, "/") == 0 ? 0 : strlen(from));
  while (*rest == '/') rest++;
  return *rest ? join(to, rest) : copy_text(to);
}

/* The folder itself, and what is mounted below it: that may be mounted elsewhere as well. */
static struct list sources_of(const struct list *mounts, const char *path) {
  struct list sources = {0};
  const struct mount_entry *home = mount_of(mounts, path);
  errno = ENOENT;
  if (!home) fail("views", path);
  add_source(&sources, home, moved(path, home->point, home->root));
  for (size_t i = 0; i < mounts->count; i++) {
    const struct mount_entry *entry = mounts->items[i];
    if (under(entry->point, path)) add_source(&sources, entry, entry->root);
  }
  return sources;
}

static void add_view(struct list *views, const char *path, char *view) {
  struct stat about;
  if (under(view, path) || list_has(views, view)) return;
  /* Hidden under a later mount, or out of our reach: then out of the command's too. */
  if (lstat(view, &about) == 0) list_add(views, view);
}

static void views_in(struct list *views, const struct mount_entry *entry, const struct source *source,
                     const char *path) {
  if (entry->major != source->major || entry->minor != source->minor) return;
  if (under(source->folder, entry->root)) add_view(views, path, moved(source->folder, entry->root, entry->point));
  else if (under(entry->root, source->folder)) add_view(views, path, copy_text(entry->point));
}

/* An overlay has a device of its own, but its options name the folders that it shows. */
static void overlay_views(struct list *views, const struct mount_entry *entry, const char *path) {
  if (strcmp(entry->type, "overlay") != 0) return;
  char *options = copy_text(entry->super);
  for (char *option = strsep(&options, ","); option; option = strsep(&options, ",")) {
    char *layers = strchr(option, '=');
    if (!layers || (strncmp(option, "lowerdir", 8) != 0 && strncmp(option, "upperdir", 8) != 0)) continue;
    layers++;
    for (char *layer = strsep(&layers, ":"); layer; layer = strsep(&layers, ":")) {
      if (*layer == '/' && under(path, layer)) add_view(views, path, moved(path, layer, entry->point));
      else if (*layer == '/' && under(layer, path)) add_view(views, path, copy_text(entry->point));
    }
  }
}

struct list views_among(const struct list *mounts, const char *path) {
  struct list views = {0}, sources = sources_of(mounts, path);
  for (size_t i = 0; i < mounts->count; i++) {
    for (size_t j = 0; j < sources.count; j++) views_in(&views, mounts->items[i], sources.items[j], path);
    overlay_views(&views, mounts->items[i], path);
  }
  return views;
}

struct list views_of(const char *path) {
  struct list mounts = mounts_read();
  return views_among(&mounts, path);
}
