/* Start-up code of a Cortex-M image that prints a digest a line by semihosting, and ends. */
#include <stdint.h>

extern uint64_t (*const self_tests[])(void);
extern uint32_t image_stack_top[], image_data_from[], image_data[], image_data_end[], image_bss_end[];

void start(void);

/* Asks the host: BKPT 0xAB with an operation and its argument. */
static int host(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void end(uint32_t reason)
{
    for (;;) {
        host(0x18, (const void *)reason);
    }
}

/* A fault is an end that is not well. */
static void fault(void)
{
    end(0x20023);
}

static void print(uint64_t digest)
{
    char line[18];
    int i;
    for (i = 0; i < 16; i++) {
        line[i] = "0123456789abcdef"[digest >> (60 - 4 * i) & 15];
    }
    line[16] = '\n';
    line[17] = 0;
    host(0x04, line);
}

void start(void)
{
    uint32_t *to = image_data;
    const uint32_t *from = image_data_from;
    int i;
    while (to < image_data_end) {
        *to++ = *from++;
    }
    while (to < image_bss_end) {
        *to++ = 0;
    }
#ifdef __ARM_FP
    /* The unit of floats is off until it is asked for. */
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    for (i = 0; self_tests[i] != 0; i++) {
        print(self_tests[i]());
    }
    end(0x20026);
}

/* The first stack, where to start, and the faults. */
typedef void (*handler)(void);
const handler vectors[16] __attribute__((section(".vectors"), used)) = {
    (handler)(uintptr_t)image_stack_top, start, fault, fault, fault, fault, fault,
};
