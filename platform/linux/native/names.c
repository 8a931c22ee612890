#define _GNU_SOURCE
#include "names.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

static bool is(const struct named *named, const struct stat *about) {
  return named->inode == about->st_ino && named->device == about->st_dev;
}

void names_open(struct names *names, const struct list *let_in) {
  if (pthread_mutex_init(&names->lock, NULL) != 0) fail("broker", "lock");
  for (size_t i = 0; i < let_in->count; i++) {
    struct stat about;
    int fd = open(let_in->items[i], O_PATH | O_CLOEXEC);
    /* A daemon that does not run now is no reason to refuse the run. */
    if (fd < 0) continue;
    if (fstat(fd, &about) < 0 || !S_ISSOCK(about.st_mode)) {
      close(fd);
      continue;
    }
    struct named *named = allocate(sizeof *named);
    *named = (struct named){about.st_dev, about.st_ino, fd};
    list_add(&names->let_in, named);
  }
}

static void forget(struct names *names, size_t index) {
  close(names->own[index].hold);
  memmove(&names->own[index], &names->own[index + 1], (--names->count - index) * sizeof *names->own);
}

/* What has no name any more is never looked up again. */
static void forget_unlinked(struct names *names) {
  struct stat about;
  for (size_t i = names->count; i-- > 0;)
    if (fstat(names->own[i].hold, &about) < 0 || about.st_nlink == 0) forget(names, i);
}

void names_add(struct names *names, int hold) {
  struct stat about;
  bool known = fstat(hold, &about) < 0 || !S_ISSOCK(about.st_mode);
  pthread_mutex_lock(&names->lock);
  for (size_t i = 0; i < names->count && !known; i++) known = is(&names->own[i], &about);
  if (!known && names->count % 64 == 63) forget_unlinked(names);
  if (!known && names->count == OWN_NAMES) forget(names, 0);
  if (!known) names->own[names->count++] = (struct named){about.st_dev, about.st_ino, hold};
  pthread_mutex_unlock(&names->lock);
  if (known) close(hold);
}

int names_find(struct names *names, int fd) {
  struct stat about;
  if (fstat(fd, &about) < 0 || !S_ISSOCK(about.st_mode)) return -1;
  const struct named *found = NULL;
  for (size_t i = 0; i < names->let_in.count && !found; i++)
    if (is(names->let_in.items[i], &about)) found = names->let_in.items[i];
  pthread_mutex_lock(&names->lock);
  for (size_t i = names->count; i-- > 0 && !found;)
    if (is(&names->own[i], &about)) found = &names->own[i];
  /* Ours may be forgotten as soon as the lock is. */
  int hold = found ? fcntl(found->hold, F_DUPFD_CLOEXEC, 0) : -1;
  pthread_mutex_unlock(&names->lock);
  return hold;
}
