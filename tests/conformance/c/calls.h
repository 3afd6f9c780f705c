// Reading arguments and writing answers, as the journal has them.

#ifndef CALLS_H
#define CALLS_H

#include "windlass.h"

// A function of the contract, and what calls it. The last of a list has no name.
typedef struct {
    const char *function;
    // NULL if the arguments are wrong: then `wrong` says how.
    windlass_json_t *(*call)(const windlass_json_t *args);
} call_t;

extern const call_t calls[];

// What is wrong with the arguments of a call; the first thing counts.
extern const char *wrong;

// A field of a table, or NULL. Counts in `known` those that are there.
const windlass_json_t *take(const windlass_json_t *table, const char *name, size_t *known);

// Refuses what nobody took.
void read_all(const windlass_json_t *table, size_t known);

// Whether there is a value that is not null.
bool is_there(const windlass_json_t *v);

// Values. What is left out is false, empty, or the first case; anything else has to be there.
void read_bool(const windlass_json_t *v, bool *into);
void read_text(const windlass_json_t *v, windlass_string_t *into);
void read_bytes(const windlass_json_t *v, windlass_list_u8_t *into);
void read_double(const windlass_json_t *v, double *into);
int64_t read_signed(const windlass_json_t *v, int64_t least, int64_t most);
uint64_t read_unsigned(const windlass_json_t *v, uint64_t most);
const windlass_json_t *read_list(const windlass_json_t *v);
size_t read_case(const windlass_json_t *v, const char *const *names);
const windlass_json_t *read_carried(const windlass_json_t *v);

// Text, or numbers where it is none.
windlass_json_t *write_bytes(const windlass_list_u8_t *v);

windlass_json_t *answered(windlass_json_t *value);
windlass_json_t *failed_with(const char *name, windlass_string_t message);

#endif
