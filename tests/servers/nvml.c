/* The entry points of NVIDIA's management library that the agent calls, for machines without such a card.
 *
 * Built by tests/servers/nvml.py. What the cards are like stands in the file that NVML_TEST_STATE names, read with
 * each call: "init CODE", then for each card "UUID energy_code millijoules power_code milliwatts handle_code".
 * Signatures after NVIDIA's NVML API reference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct card { char uuid[80]; int energy_code; unsigned long long mj; int power_code; unsigned mw; int handle_code; };
static struct card cards[8];
static int count, init_code, started;

static void load(void) {
    const char *path = getenv("NVML_TEST_STATE");
    FILE *file = path ? fopen(path, "r") : NULL;
    count = 0; init_code = 999;
    if (!file) return;
    if (fscanf(file, "init %d", &init_code) == 1)
        while (count < 8 && fscanf(file, "%79s %d %llu %d %u %d", cards[count].uuid, &cards[count].energy_code,
               &cards[count].mj, &cards[count].power_code, &cards[count].mw, &cards[count].handle_code) == 6)
            count++;
    fclose(file);
}

int nvmlInit_v2(void) { load(); started = init_code == 0; return init_code; }
int nvmlShutdown(void) { started = 0; return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { load(); if (!started || init_code) return init_code ? init_code : 1; *n = count; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device) {
    if (!started) return 1;
    if (cards[i].handle_code) return cards[i].handle_code;
    *device = &cards[i];
    return 0;
}
int nvmlDeviceGetUUID(void *device, char *text, unsigned length) {
    struct card *one = device;
    if (strlen(one->uuid) >= length) return 7;
    strcpy(text, one->uuid);
    return 0;
}
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *mj) {
    struct card *one = device;
    if (one->energy_code == -1) for (;;) sleep(60);  /* a card that has fallen off the bus may hold a call for ever */
    *mj = one->mj;
    return one->energy_code;
}
int nvmlDeviceGetPowerUsage(void *device, unsigned *mw) {
    struct card *one = device;
    *mw = one->mw;
    return one->power_code;
}
