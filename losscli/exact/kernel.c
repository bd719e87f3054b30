/* The exact sum and the exact sum of squares of float64 values in one pass, in all or by group.

   Every value v is cut on three grids, each 2^26 times as fine as the one before, as exact/__init__.py explains:
   with s = 1.5 * 2^(52+g), the bits of v + s are those of s plus the integer v / 2^g, rounded. So the pieces are added
   as they stand, as 64-bit integers, and what the bits of s add is taken off at the end. A product of two pieces is an
   integer below 2^51 of its unit: another s turns it into bits likewise. Every operation is exact but for the roundings
   that make the pieces, so neither the width of the vectors nor a fused multiply-add can change a bit.

   Three pieces do for most values; the few that keep a rest, being small beside the largest, get a fourth by
   themselves. What keeps a rest even then is left out of all sums and named, for a pass of its own.

   kernel.py calls this. Where it could not be compiled, torch does the same (pieces.py); kernel.cu does so on a GPU. */

#include <stdint.h>
#include <string.h>

/* Which source this is made from; kernel.py uses no other. */
const char losscli_source[] = SOURCE;

#define LANES 4
typedef double Doubles __attribute__((vector_size(8 * LANES)));
typedef int64_t Masks __attribute__((vector_size(8 * LANES)));
typedef uint64_t Bits __attribute__((vector_size(8 * LANES)));

/* Where the processor has wider registers, the loader picks the version that uses them. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("default", "avx2")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

/* A first piece is at most 2^25 of its unit, and so are the others: of half a unit 2^26 parts. */
enum { FIRST = 25, STEP = 26 };
/* The sums: of the pieces, then of the products on each level; 1,3 and 2,2 are on one. The fourth pieces' come last. */
enum { C1, C2, C3, PIECES, CC11 = PIECES, CC12, CC22, CC23, CC33, SUMS, C4 = SUMS, CC14, CC24, CC34, CC44, ALL_SUMS };
/* A product adds less than 2^51 and two may be on one level, so 63 bits hold 2^11 of them. */
enum { STEPS = 2048 };

/* A sum in 128 bits: high * 2^64 + low. */
typedef struct {
    uint64_t low;
    int64_t high;
} Total;

INLINE void add(Total *total, int64_t value) {
    uint64_t low = total->low + (uint64_t)value;
    total->high += (value < 0 ? -1 : 0) + (low < total->low);
    total->low = low;
}

/* 1.5 * 2^(52 + grid): adding it rounds to a multiple of 2^grid. */
INLINE double rounder(int grid) {
    uint64_t bits = (uint64_t)(grid + 52 + 1023) << 52 | (uint64_t)1 << 51;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

typedef struct {
    Doubles of[ALL_SUMS];
} Rounders;

INLINE Rounders rounders(int exponent) {
    int g1 = exponent - FIRST, g2 = g1 - STEP, g3 = g2 - STEP, g4 = g3 - STEP;
    int grids[ALL_SUMS] = {g1,     g2,      g3,     2 * g1,  g1 + g2, 2 * g2, g2 + g3,
                           2 * g3, g4,      g1 + g4, g2 + g4, g3 + g4, 2 * g4};
    Rounders result;
    for (int sum = 0; sum < ALL_SUMS; sum++) result.of[sum] = rounder(grids[sum]) - (Doubles){0};
    return result;
}

INLINE Doubles load(const double *values, int64_t count) {
    Doubles result = {0};
    if (count >= LANES)
        memcpy(&result, values, sizeof result);
    else
        memcpy(&result, values, (size_t)count * sizeof *values);
    return result;
}

INLINE int any(Masks mask) { return (mask[0] | mask[1] | mask[2] | mask[3]) != 0; }

INLINE uint64_t bits_of(const Rounders *by, int sum) {
    Bits bits = (Bits)by->of[sum];
    return bits[0];
}

/* Adds the integer that a value of at most 2^51 units is. */
INLINE void add_rounded(Total *totals, const Rounders *by, int sum, double value) {
    double rounded = value + by->of[sum][0];
    uint64_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    add(&totals[sum], (int64_t)(bits - bits_of(by, sum)));
}

typedef struct {
    Doubles p1, p2, p3, rest;
} Pieces;

/* Three pieces of four values. */
INLINE Pieces cut(Doubles values, const Rounders *by) {
    const Doubles *s = by->of;
    Pieces cut;
    cut.p1 = values + s[C1] - s[C1];
    cut.rest = values - cut.p1;
    cut.p2 = cut.rest + s[C2] - s[C2];
    cut.rest = cut.rest - cut.p2;
    cut.p3 = cut.rest + s[C3] - s[C3];
    cut.rest = cut.rest - cut.p3;
    return cut;
}

/* The fourth piece of one value, whose sums are added at once; whether it was the last. */
INLINE int cut_again(const Pieces *cut, int lane, const Rounders *by, int products, Total *totals) {
    double rest = cut->rest[lane], rounder = by->of[C4][0], p4 = rest + rounder - rounder;
    if (p4 != rest) return 0;
    add_rounded(totals, by, C4, p4);
    if (products) {
        add_rounded(totals, by, CC14, cut->p1[lane] * p4);
        add_rounded(totals, by, CC24, cut->p2[lane] * p4);
        add_rounded(totals, by, CC34, cut->p3[lane] * p4);
        add_rounded(totals, by, CC44, p4 * p4);
    }
    return 1;
}

/* The sums of three pieces and of their products: bits of a rounder and an integer. */
INLINE void add_pieces(const Pieces *cut, const Rounders *by, int products, Bits *added) {
    const Doubles *s = by->of;
    added[C1] += (Bits)(cut->p1 + s[C1]);
    added[C2] += (Bits)(cut->p2 + s[C2]);
    added[C3] += (Bits)(cut->p3 + s[C3]);
    if (products) {
        added[CC11] += (Bits)(cut->p1 * cut->p1 + s[CC11]);
        added[CC12] += (Bits)(cut->p1 * cut->p2 + s[CC12]);
        added[CC22] += (Bits)(cut->p2 * cut->p2 + s[CC22]);
        added[CC22] += (Bits)(cut->p1 * (cut->p3 + cut->p3) + s[CC22]);
        added[CC23] += (Bits)(cut->p2 * cut->p3 + s[CC23]);
        added[CC33] += (Bits)(cut->p3 * cut->p3 + s[CC33]);
    }
}

/* What so many additions of a rounder's bits come to. */
INLINE uint64_t bits_added(const Rounders *by, int sum, uint64_t steps) {
    return steps * (sum == CC22 ? 2 : 1) * bits_of(by, sum);
}

INLINE int64_t in_all(const double *values, int64_t n, int exponent, int products, Total *totals, int64_t *indices) {
    const Rounders by = rounders(exponent);
    int64_t left = 0;
    for (int64_t start = 0; start < n;) {
        Bits added[SUMS] = {{0}};
        uint64_t steps = 0;
        for (; start < n && steps < STEPS; start += LANES, steps++) {
            Pieces pieces = cut(load(values + start, n - start), &by);
            Masks more = pieces.rest != (Doubles){0};
            if (__builtin_expect(any(more), 0)) {
                Masks out = {0};
                for (int lane = 0; lane < LANES; lane++)
                    if (more[lane] && !cut_again(&pieces, lane, &by, products, totals)) {
                        out[lane] = -1;
                        indices[left++] = start + lane;
                    }
                pieces.p1 = (Doubles)((Masks)pieces.p1 & ~out);
                pieces.p2 = (Doubles)((Masks)pieces.p2 & ~out);
                pieces.p3 = (Doubles)((Masks)pieces.p3 & ~out);
            }
            add_pieces(&pieces, &by, products, added);
        }
        for (int sum = 0; sum < (products ? SUMS : PIECES); sum++)
            for (int lane = 0; lane < LANES; lane++)
                add(&totals[sum], (int64_t)(added[sum][lane] - bits_added(&by, sum, steps)));
    }
    return left;
}

/* Sums of n finite values, all below 2^exponent in magnitude, |exponent| <= 200, added to 13 totals.
   Returns how many values keep a rest; their indices are put into indices, which has room for n. */
FOR_EACH_PROCESSOR
int64_t losscli_sums(const double *values, int64_t n, int exponent, int products, Total *totals, int64_t *indices) {
    return products ? in_all(values, n, exponent, 1, totals, indices) : in_all(values, n, exponent, 0, totals, indices);
}

/* The same by group: value i belongs to group codes[i], whose totals are the 13 from 13 * codes[i] on. */
FOR_EACH_PROCESSOR
int64_t losscli_group_sums(const double *values, const int64_t *codes, int64_t n, int exponent, Total *totals,
                           int64_t *indices) {
    const Rounders by = rounders(exponent);
    int64_t left = 0;
    for (int64_t start = 0; start < n; start += LANES) {
        Pieces pieces = cut(load(values + start, n - start), &by);
        Bits added[SUMS] = {{0}};
        add_pieces(&pieces, &by, 1, added);
        for (int sum = 0; sum < SUMS; sum++) added[sum] -= bits_added(&by, sum, 1);
        for (int lane = 0; lane < LANES && start + lane < n; lane++) {
            Total *group = totals + ALL_SUMS * codes[start + lane];
            if (__builtin_expect(pieces.rest[lane] != 0, 0) && !cut_again(&pieces, lane, &by, 1, group))
                indices[left++] = start + lane;
            else
                for (int sum = 0; sum < SUMS; sum++) add(&group[sum], (int64_t)added[sum][lane]);
        }
    }
    return left;
}
