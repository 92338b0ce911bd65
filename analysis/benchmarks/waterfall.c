/* The benchmark's deal by hand: WIDTH paths in a vector, UNITS vectors in flight, the state of a path in registers.
 *
 * The rules are those of sim/kernels/waterfall.py for three sequential classes, each of its own rank, with senior fees, a
 * fixed reserve and a trap account that cover fees and interest, a cash trap, a latched rapid trigger, an ARD and a
 * principal deficiency ledger; every operation stands in the kernel's order. Revenue and accounts are at least zero, so
 * that a class takes what there is without a floor. WIDTH 1 makes the same source its own scalar build.
 */

#ifndef WIDTH
#define WIDTH 1
#endif
#ifndef UNITS
#define UNITS 1
#endif
#define CLASSES 3
#define INLINE __attribute__((always_inline)) static inline

#if WIDTH == 8
#include <immintrin.h>
typedef double vec __attribute__((vector_size(64)));
typedef __mmask8 mask;
#define LESS(a, b) _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ)
#define SELECT(m, a, b) ((vec)_mm512_mask_blend_pd(m, b, a))
#define MIN(a, b) ((vec)_mm512_min_pd(a, b))
#define MAX(a, b) ((vec)_mm512_max_pd(a, b))
#define NOT(m) ((mask)((m) ^ 255))
#define ANY(m) ((m) != 0)
#elif WIDTH == 4
#include <immintrin.h>
typedef double vec __attribute__((vector_size(32)));
typedef long long mask __attribute__((vector_size(32)));
#define LESS(a, b) ((a) < (b))
#define SELECT(m, a, b) ((vec)_mm256_blendv_pd(b, a, (__m256d)(m)))
#define MIN(a, b) ((vec)_mm256_min_pd(a, b))
#define MAX(a, b) ((vec)_mm256_max_pd(a, b))
#define NOT(m) (~(m))
#define ANY(m) (_mm256_movemask_pd((__m256d)(m)) != 0)
#elif WIDTH == 2
typedef double vec __attribute__((vector_size(16)));
typedef long long mask __attribute__((vector_size(16)));
#define LESS(a, b) ((a) < (b))
#define SELECT(m, a, b) ((vec)(((m) & (mask)(a)) | (~(m) & (mask)(b))))
#define MIN(a, b) SELECT(LESS(a, b), a, b)
#define MAX(a, b) SELECT(LESS(b, a), a, b)
#define NOT(m) (~(m))
#define ANY(m) (((m)[0] | (m)[1]) != 0)
#else
typedef double vec;
typedef int mask;
#define LESS(a, b) ((a) < (b))
#define SELECT(m, a, b) ((m) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define NOT(m) (!(m))
#define ANY(m) (m)
#endif
#define ALL ((mask) ~(mask){0})

/* Unrolled by hand, so that every index is a constant and every array ends up in registers. */
#define WITH(index, value, ...) { enum { index = value }; __VA_ARGS__ }
#if UNITS == 1
#define EACH(...) { WITH(u, 0, __VA_ARGS__) }
#elif UNITS == 2
#define EACH(...) { WITH(u, 0, __VA_ARGS__) WITH(u, 1, __VA_ARGS__) }
#else
#define EACH(...) { WITH(u, 0, __VA_ARGS__) WITH(u, 1, __VA_ARGS__) WITH(u, 2, __VA_ARGS__) WITH(u, 3, __VA_ARGS__) }
#endif
#define BY_CLASS(...) { { enum { k = 0 }; __VA_ARGS__ } { enum { k = 1 }; __VA_ARGS__ } { enum { k = 2 }; __VA_ARGS__ } }
#define TOTAL(x) ((x)[0][u] + (x)[1][u] + (x)[2][u])

typedef vec pack[UNITS];
typedef mask flags[UNITS];

typedef struct {
    double period_years, fee_fixed, fee_rate, recovery_rate, reserve_target, trap_level, rapid_level, trap_share;
    double cure_periods, dust, pool, reserve, coupon[CLASSES], balance[CLASSES];
    long ard, periods, paths;
} deal;

typedef struct {
    pack balance[CLASSES], arrears[CLASSES], pool, pdl, reserve, trap, fee_arrears, oldest, older, newest, good;
    flags trapped, rapid, owing;
} state;

INLINE vec all(double x) { return x - (vec){0}; }

INLINE vec positive(vec x) { return MAX(x, (vec){0}); }

/* Draw a shortfall from the reserve, then from the trap account; skipped when no path is short. */
INLINE void cover(state *z, pack cash, const pack due) {
    int called = 0;
    EACH(called |= ANY(LESS(cash[u], due[u]));)
    if (__builtin_expect(called, 0))
        EACH(
            vec shortfall = positive(due[u] - cash[u]);
            vec first = MIN(shortfall, z->reserve[u]);
            vec second = MIN(shortfall - first, z->trap[u]);
            z->reserve[u] -= first;
            z->trap[u] -= second;
            cash[u] += first + second;
        )
}

/* Pay one class; full payment forgives the dust. */
INLINE void settle(pack cash, pack owed, pack paid, vec dust, int first) {
    EACH(
        vec amount = SELECT(LESS(cash[u], owed[u] - dust), cash[u], owed[u]);
        paid[u] = first ? amount : paid[u] + amount;
        cash[u] = positive(cash[u] - owed[u]);
        owed[u] -= amount;
    )
}

INLINE void settle_by_rank(pack cash, pack *owed, pack *paid, vec dust, int first) {
    BY_CLASS(settle(cash, owed[k], paid[k], dust, first);)
}

/* Pay one period; revenue and default rates of the paths in flight lie side by side. */
INLINE void step(const deal *d, state *z, const double *revenue, const double *default_rate, double amortisation, long age,
                 pack *interest, pack *principal) {
    const vec none = (vec){0}, dust = all(d->dust);
    const double dt = d->period_years;
    const int past_ard = 0 <= d->ard && d->ard <= age, last = age == d->periods;
    pack accrued[CLASSES], cash, due, scheduled, defaulted, earned, part;
    flags turbo;
    /* 1. Collateral roll. */
    EACH(
        defaulted[u] = *(const vec *)(default_rate + u * WIDTH) * z->pool[u];
        scheduled[u] = amortisation * (z->pool[u] - defaulted[u]);
        due[u] = z->fee_arrears[u] + (d->fee_fixed + d->fee_rate * dt * z->pool[u]);
        z->pool[u] = positive(z->pool[u] - defaulted[u] - scheduled[u]);
        earned[u] = *(const vec *)(revenue + u * WIDTH);
        cash[u] = earned[u] + scheduled[u] + d->recovery_rate * defaulted[u];
    )
    /* 2. Senior fees. */
    cover(z, cash, due);
    EACH(
        vec fees = MIN(cash[u], due[u]);
        z->fee_arrears[u] = due[u] - fees;
        cash[u] -= fees;
        earned[u] -= fees;
    )
    /* 4. Interest by rank. */
    BY_CLASS(
        EACH(
            accrued[k][u] = d->coupon[k] * dt * z->balance[k][u];
            z->arrears[k][u] += d->coupon[k] * dt * z->arrears[k][u] + accrued[k][u];
        )
        cover(z, cash, z->arrears[k]);
        settle(cash, z->arrears[k], interest[k], dust, 1);
    )
    /* 5. Reserve; what it frees pays unpaid interest. */
    int unpaid = 0;
    EACH(
        vec excess = positive(z->reserve[u] - SELECT(z->owing[u], all(d->reserve_target), none));
        z->reserve[u] -= excess;
        cash[u] += excess;
        unpaid |= ANY(LESS(none, TOTAL(z->arrears)));
    )
    if (__builtin_expect(unpaid, 0)) settle_by_rank(cash, z->arrears, interest, dust, 0);
    EACH(
        vec deposit = MIN(cash[u], positive(SELECT(z->owing[u], all(d->reserve_target), none) - z->reserve[u]));
        z->reserve[u] += deposit;
        cash[u] -= deposit;
    )
    /* 6. Principal. */
    EACH(
        due[u] = scheduled[u] + (z->pdl[u] + defaulted[u]);
        scheduled[u] = part[u] = MIN(cash[u], due[u]);
        cash[u] -= part[u];
    )
    settle_by_rank(part, z->balance, principal, dust, 1);
    EACH(
        cash[u] += part[u];
        z->pdl[u] = positive(due[u] - (scheduled[u] - part[u]));
    )
    /* 7. Triggers. The average of fewer than three ratios is infinite here, and fails nothing. */
    EACH(
        vec service = TOTAL(accrued);
        mask counts = LESS(dust, service);
        z->oldest[u] = SELECT(counts, z->older[u], z->oldest[u]);
        z->older[u] = SELECT(counts, z->newest[u], z->older[u]);
        z->newest[u] = SELECT(counts, earned[u] / service, z->newest[u]);
        vec average = (z->oldest[u] + z->older[u] + z->newest[u]) / 3.0;
        mask low = LESS(average, all(d->trap_level));
        z->rapid[u] |= LESS(average, all(d->rapid_level));
        z->good[u] = SELECT(low, none, z->good[u] + 1.0);
        z->trapped[u] = low | (z->trapped[u] & LESS(z->good[u], all(d->cure_periods)));
        turbo[u] = past_ard ? ALL : z->rapid[u];
    )
    /* 8. Turbo, trap or release. */
    EACH(
        cash[u] += SELECT(turbo[u], z->trap[u], none);
        z->trap[u] = SELECT(turbo[u], none, z->trap[u]);
        part[u] = due[u] = SELECT(turbo[u], cash[u], none);
    )
    settle_by_rank(part, z->balance, principal, dust, 0);
    int closes = last;
    EACH(
        cash[u] = positive(cash[u] - (due[u] - part[u]));
        mask holds = z->trapped[u] & NOT(turbo[u]);
        vec paid_in = SELECT(holds, d->trap_share * cash[u], none);
        vec released = SELECT(holds, none, z->trap[u]);
        z->trap[u] += paid_in - released;
        cash[u] += released - paid_in;
        z->owing[u] = LESS(dust, TOTAL(z->balance));
        closes |= ANY(NOT(z->owing[u]));
    )
    /* The accounts repay what they can once the notes are gone, and at the end. */
    if (closes) {
        EACH(
            mask closing = last ? ALL : NOT(z->owing[u]);
            part[u] = SELECT(closing, cash[u] + z->reserve[u] + z->trap[u], none);
            cash[u] = SELECT(closing, none, cash[u]);
            z->reserve[u] = SELECT(closing, none, z->reserve[u]);
            z->trap[u] = SELECT(closing, none, z->trap[u]);
            z->pdl[u] = SELECT(z->owing[u], z->pdl[u], none);
        )
        settle_by_rank(part, z->arrears, interest, dust, 0);
        settle_by_rank(part, z->balance, principal, dust, 0);
        EACH(cash[u] += part[u];)
    }
    /* 10. Fees still unpaid; the rest is the sponsor's. */
    EACH(z->fee_arrears[u] -= MIN(cash[u], z->fee_arrears[u]);)
}

INLINE void open_deal(const deal *d, state *z) {
    const vec none = (vec){0};
    EACH(
        BY_CLASS(z->balance[k][u] = all(d->balance[k]); z->arrears[k][u] = none;)
        z->pool[u] = all(d->pool);
        z->reserve[u] = all(d->reserve);
        z->pdl[u] = z->trap[u] = z->fee_arrears[u] = z->good[u] = none;
        z->oldest[u] = z->older[u] = z->newest[u] = all(__builtin_inf());
        z->trapped[u] = z->rapid[u] = (mask){0};
        z->owing[u] = ALL;
    )
}

INLINE void pay(const deal *d, const double *revenue, const double *default_rate, const double *amortisation, double *interest,
                double *principal, int every_period) {
    const long paths = d->paths, flight = WIDTH * UNITS;
    for (long s = 0; s < paths; s += flight) {
        state z;
        pack got[CLASSES], repaid[CLASSES], received[CLASSES], returned[CLASSES];
        open_deal(d, &z);
        BY_CLASS(EACH(received[k][u] = returned[k][u] = (vec){0};))
        for (long t = 0; t < d->periods; t++) {
            const long here = t * paths + s;
            __builtin_prefetch(revenue + here + flight);
            __builtin_prefetch(default_rate + here + flight);
            step(d, &z, revenue + here, default_rate + here, amortisation[t], t + 1, got, repaid);
            BY_CLASS(EACH(
                const long there = (t * CLASSES + k) * paths + s + u * WIDTH;
                if (every_period) {
                    *(vec *)(interest + there) = got[k][u];
                    *(vec *)(principal + there) = repaid[k][u];
                }
                received[k][u] += got[k][u];
                returned[k][u] += repaid[k][u];
            ))
        }
        if (!every_period)
            BY_CLASS(EACH(
                *(vec *)(interest + k * paths + s + u * WIDTH) = received[k][u];
                *(vec *)(principal + k * paths + s + u * WIDTH) = returned[k][u];
            ))
    }
}

/* Inputs (t, s), output (t, k, s) USD. */
void pay_every_period(const deal *d, const double *revenue, const double *default_rate, const double *amortisation, double *interest,
                      double *principal) {
    pay(d, revenue, default_rate, amortisation, interest, principal, 1);
}

/* Inputs (t, s), output (k, s) USD over the life. */
void pay_lives(const deal *d, const double *revenue, const double *default_rate, const double *amortisation, double *interest,
               double *principal) {
    pay(d, revenue, default_rate, amortisation, interest, principal, 0);
}
