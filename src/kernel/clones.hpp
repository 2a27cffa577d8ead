// Run-time choice of instructions, where the compiler can make it for us.
#pragma once

#include <climits>  // with glibc, defines __GLIBC__: its dynamic loader makes the choice

// The choice goes by features (x86-64-v4 is AVX-512), not by the name of a processor: a name is not
// recognised on its successors.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    __GNUC__ >= 12 && !defined(EGIDE_PLAIN)
#define EGIDE_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#define EGIDE_HAS_VECTOR_POPCOUNT
#define EGIDE_VECTOR_POPCOUNT __attribute__((target("arch=x86-64-v4,avx512vpopcntdq")))
#else
#define EGIDE_CLONES
#endif
