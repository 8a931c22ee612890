#define _GNU_SOURCE
#include "mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* The kernel writes space, tab, newline and backslash as \ooo. */
static char *unescaped(const char *text) {
  char *plain = copy_text(text), *to = plain;
  for (const char *at = text; *at; at++) {
    if (at[0] == '\\' && at[1] && at[2] && at[3]) {
      char digits[4] = {at[1], at[2], at[3], 0};
      *to++ = (char)strtol(digits, NULL, 8);
      at += 3;
    } else {
      *to++ = *at;
    }
  }
  *to = 0;
  return plain;
}

/* id parent major:minor root point options [optional…] - type source super */
static struct mount_entry *parse(char *line) {
  char *fields[6] = {0}, *rest = line;
  for (int i = 0; i < 6; i++) fields[i] = strsep(&rest, " ");
  char *tail = rest ? strstr(rest, "- ") : NULL;
  if (!fields[5] || !tail) return NULL;
  tail += 2;
  struct mount_entry *entry = allocate(sizeof *entry);
  if (sscanf(fields[2], "%u:%u", &entry->major, &entry->minor) != 2) return NULL;
  entry->root = unescaped(fields[3]);
  entry->point = unescaped(fields[4]);
  entry->type = copy_text(strsep(&tail, " "));
  strsep(&tail, " ");
  entry->super = unescaped(tail ? tail : "");
  return entry;
}

struct list mounts_read(void) {
  struct list mounts = {0};
  char *rest = read_file("/proc/self/mountinfo");
  if (!rest) fail("mountinfo", "reading");
  for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
    if (!*line) continue;
    struct mount_entry *entry = parse(line);
    errno = EPROTO;
    /* A line that is not understood may be the second view that leads around a cover. */
    if (!entry) fail("mountinfo", "a line that cannot be read");
    list_add(&mounts, entry);
  }
  return mounts;
}

const struct mount_entry *mount_of(const struct list *mounts, const char *path) {
  const struct mount_entry *best = NULL;
  for (size_t i = 0; i < mounts->count; i++) {
    const struct mount_entry *entry = mounts->items[i];
    /* Of equals the last one lies on top. */
    if (under(path, entry->point) && (!best || strlen(entry->point) >= strlen(best->point))) best = entry;
  }
  return best;
}

bool is_mount_point(const struct list *mounts, const char *path) {
  for (size_t i = 0; i < mounts->count; i++) {
    const struct mount_entry *entry = mounts->items[i];
    if (strcmp(entry->point, path) == 0) return true;
  }
  return false;
}
