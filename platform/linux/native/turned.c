#define _GNU_SOURCE
#include "turned.h"

#include <stdio.h>
#include <string.h>

#include "report.h"

void turned_note(struct turned *turned, const char *path) {
  pthread_mutex_lock(&turned->lock);
  size_t at = 0;
  while (at < turned->used && strcmp(turned->slots[at].path, path) != 0) at++;
  if (at == TURNED_SLOTS) {
    turned->others++;
  } else {
    if (at == turned->used) {
      turned->used++;
      turned->slots[at].count = 0;
      snprintf(turned->slots[at].path, TURNED_PATH, "%s", path);
    }
    turned->slots[at].count++;
  }
  pthread_mutex_unlock(&turned->lock);
}

void turned_tell(struct turned *turned) {
  pthread_mutex_lock(&turned->lock);
  for (size_t i = 0; i < turned->used; i++) say("refused %lu %s", turned->slots[i].count, turned->slots[i].path);
  if (turned->others) say("refused %lu *", turned->others);
  turned->used = 0;
  turned->others = 0;
  pthread_mutex_unlock(&turned->lock);
}
