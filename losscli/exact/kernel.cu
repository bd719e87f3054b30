/* The exact sum and the exact sum of squares of float64 values in one pass on a GPU, in all or by group.

   The pieces, the products and their units are those of kernel.c, which explains them. Here every value is cut four
   times, since threads that do different things wait for each other. What keeps a rest even then is left out of all
   sums, and its index noted. gpu.py compiles and calls this.

   A sum is kept as two: that of the lower 32 bits of what is added, and that of the rest. So neither overflows. */

/* As in kernel.c: the bits of the pieces, and the sums in the order of kernel.TERMS. */
enum { FIRST = 25, STEP = 26 };
enum { C1, C2, C3, CC11, CC12, CC22, CC23, CC33, C4, CC14, CC24, CC34, CC44, SUMS };
/* As in gpu.py; of the values of a thread, at most 1024, a sum is below 2^62. */
enum { THREADS = 256, WARP = 32, WARPS = THREADS / WARP };

typedef unsigned long long Integer;

/* 1.5 * 2^(52 + grid): adding it rounds to a multiple of 2^grid. */
__device__ __forceinline__ double rounder(int grid) {
    return __longlong_as_double((long long)(grid + 52 + 1023) << 52 | 1LL << 51);
}

/* The integer that a value of at most 2^51 units is, rounded. */
__device__ __forceinline__ Integer units(double value, double rounder) {
    return (Integer)__double_as_longlong(value + rounder) - (Integer)__double_as_longlong(rounder);
}

/* What a value below 2^exponent adds to each sum; whether its pieces are all of it. */
template <bool SQUARES> __device__ __forceinline__ bool cut(double value, int exponent, Integer *added) {
    const int g1 = exponent - FIRST, g2 = g1 - STEP, g3 = g2 - STEP, g4 = g3 - STEP;
    const double s1 = rounder(g1), s2 = rounder(g2), s3 = rounder(g3), s4 = rounder(g4);
    const double p1 = value + s1 - s1, rest1 = value - p1;
    const double p2 = rest1 + s2 - s2, rest2 = rest1 - p2;
    const double p3 = rest2 + s3 - s3, rest3 = rest2 - p3;
    const double p4 = rest3 + s4 - s4;
    added[C1] = units(p1, s1);
    added[C2] = units(p2, s2);
    added[C3] = units(p3, s3);
    added[C4] = units(p4, s4);
    if (SQUARES) {
        added[CC11] = units(p1 * p1, rounder(2 * g1));
        added[CC12] = units(p1 * p2, rounder(g1 + g2));
        added[CC22] = units(p2 * p2, rounder(2 * g2)) + units(p1 * (p3 + p3), rounder(2 * g2));
        added[CC23] = units(p2 * p3, rounder(g2 + g3));
        added[CC33] = units(p3 * p3, rounder(2 * g3));
        added[CC14] = units(p1 * p4, rounder(g1 + g4));
        added[CC24] = units(p2 * p4, rounder(g2 + g4));
        added[CC34] = units(p3 * p4, rounder(g3 + g4));
        added[CC44] = units(p4 * p4, rounder(2 * g4));
    }
    return p4 == rest3;
}

__device__ __forceinline__ Integer lower(Integer sum) { return sum & 0xffffffff; }
__device__ __forceinline__ Integer upper(Integer sum) { return (Integer)((long long)sum >> 32); }

template <bool SQUARES>
__device__ __forceinline__ void in_all(const double *values, long long n, int exponent, Integer *totals, Integer *count,
                                       int *left) {
    Integer sums[SUMS] = {0};
    const long long stride = (long long)gridDim.x * THREADS;
    for (long long i = (long long)blockIdx.x * THREADS + threadIdx.x; i < n; i += stride) {
        Integer added[SUMS] = {0};
        if (cut<SQUARES>(values[i], exponent, added))
            for (int sum = 0; sum < SUMS; sum++) sums[sum] += added[sum];
        else
            left[atomicAdd(count, 1)] = (int)i;
    }
    /* Over the warp, then over the block, then over the grid. */
    __shared__ Integer of_warps[WARPS][2 * SUMS];
    for (int sum = 0; sum < SUMS; sum++) {
        Integer low = lower(sums[sum]), high = upper(sums[sum]);
        for (int offset = WARP / 2; offset; offset /= 2) {
            low += __shfl_down_sync(~0u, low, offset);
            high += __shfl_down_sync(~0u, high, offset);
        }
        if (threadIdx.x % WARP == 0) {
            of_warps[threadIdx.x / WARP][2 * sum] = low;
            of_warps[threadIdx.x / WARP][2 * sum + 1] = high;
        }
    }
    __syncthreads();
    if (threadIdx.x < 2 * SUMS) {
        Integer total = 0;
        for (int warp = 0; warp < WARPS; warp++) total += of_warps[warp][threadIdx.x];
        atomicAdd(totals + threadIdx.x, total);
    }
}

/* Sums of n finite values below 2^exponent, |exponent| <= 200, added to 13 totals of two integers each; how many values
   keep a rest to *count, and their indices put into left, which has room for n. */
extern "C" __global__ void __launch_bounds__(THREADS)
    losscli_sums(const double *values, const long long *codes, long long n, int exponent, Integer *totals,
                 Integer *count, int *left) {
    in_all<false>(values, n, exponent, totals, count, left);
}

/* The sums of the squares as well. */
extern "C" __global__ void __launch_bounds__(THREADS)
    losscli_sums_and_squares(const double *values, const long long *codes, long long n, int exponent, Integer *totals,
                             Integer *count, int *left) {
    in_all<true>(values, n, exponent, totals, count, left);
}

/* The same by group: value i belongs to group codes[i], whose totals are the 13 from 13 * codes[i] on. */
extern "C" __global__ void __launch_bounds__(THREADS)
    losscli_group_sums(const double *values, const long long *codes, long long n, int exponent, Integer *totals,
                       Integer *count, int *left) {
    const long long stride = (long long)gridDim.x * THREADS;
    for (long long i = (long long)blockIdx.x * THREADS + threadIdx.x; i < n; i += stride) {
        Integer added[SUMS];
        if (!cut<true>(values[i], exponent, added)) {
            left[atomicAdd(count, 1)] = (int)i;
            continue;
        }
        Integer *group = totals + 2 * SUMS * codes[i];
        for (int sum = 0; sum < SUMS; sum++) {
            if (lower(added[sum])) atomicAdd(group + 2 * sum, lower(added[sum]));
            if (upper(added[sum])) atomicAdd(group + 2 * sum + 1, upper(added[sum]));
        }
    }
}
