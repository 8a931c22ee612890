/* A seccomp program under construction. */
#ifndef GATE_FILTER_H
#define GATE_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

enum { FILTER_LIMIT = 1024 };

struct filter {
  struct sock_filter code[FILTER_LIMIT];
  size_t size;
};

/* `deny_*` end the call with that errno. */
void filter_load_number(struct filter *filter);
void filter_deny(struct filter *filter, long number, int error);
/* Opens a block for one system call; filter_end closes it and reloads the number. */
size_t filter_begin(struct filter *filter, long number);
void filter_end(struct filter *filter, size_t block);
/* Low 32 bits of an argument: the kernel looks at no more of an int, so a high half must not change the answer. */
void filter_argument(struct filter *filter, unsigned index, uint32_t mask);
void filter_deny_equal(struct filter *filter, uint32_t value, int error);
void filter_deny_bits(struct filter *filter, uint32_t bits, int error);
/* Denies unless the accumulator is one of `values`. */
void filter_deny_unless(struct filter *filter, const uint32_t *values, size_t count, int error);
/* Goes on with the following `filter_skip_end` block only where the accumulator is one of two values. */
size_t filter_only_if(struct filter *filter, uint32_t a, uint32_t b);
void filter_skip_end(struct filter *filter, size_t block);
void filter_add(struct filter *filter, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf);
void filter_return(struct filter *filter, uint32_t verdict);

#endif
