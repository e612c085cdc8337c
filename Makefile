# Vestibule: the only makefile. `make help` is its table of contents.
#
# Every folder is found by wildcard: a new .c file in a folder is built with it, a new *_test.c is run with
# its suite. CC CFLAGS LDFLAGS PREFIX DESTDIR BUILD are honoured. SAN=1 builds with ASan and UBSan, SAN=thread
# with TSan, each into its own folder.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

VERSION := 0.1.0
PREFIX ?= /usr/local
CC ?= cc
CFLAGS ?= -O2 -g
SAN ?=
WERROR ?=
# GPIO=1: `vestibule-doorbell button` reads a line, with libgpiod-dev 1.x
GPIO ?=
GPIO_LIB := $(if $(filter 1,$(GPIO)),-lgpiod)

ifeq ($(SAN),1)
  BUILD ?= build/san
  SANFLAGS := -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifeq ($(SAN),thread)
  BUILD ?= build/tsan
  SANFLAGS := -fsanitize=thread -fno-omit-frame-pointer
else
  BUILD ?= build
  SANFLAGS :=
endif

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
        -Wwrite-strings -Wformat=2 $(if $(WERROR),-Werror)
BASE := -std=c11 -D_GNU_SOURCE -DVESTIBULE_VERSION='"$(VERSION)"' -I. -I$(BUILD)/gen -fPIC -fvisibility=hidden \
        -fstack-protector-strong -pthread $(SANFLAGS)
CC_OURS = $(CC) $(BASE) $(WARN) $(CFLAGS) -MMD -MP
CC_GEN = $(CC) $(BASE) $(CFLAGS) -w
# V=1 shows the commands
Q := $(if $(V),,@)
LINK = $(CC) $(BASE) $(CFLAGS) $(LDFLAGS)

# --- sources by layer; arrows point down only (tests/layers.txt) ------------------------------------------------

PROTOS := $(wildcard proto/vestibule/v1/*.proto)
GEN_C := $(PROTOS:proto/%.proto=$(BUILD)/gen/%.pb-c.c)
GEN_H := $(GEN_C:.c=.h)
objs = $(filter-out %/example.o,$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)/*.c)))

LIB_A := $(BUILD)/liblib.a
PROTO_A := $(BUILD)/libproto.a
POLICY_A := $(BUILD)/libpolicy.a
CONSENT_A := $(BUILD)/libconsent.a
STORE_A := $(BUILD)/libstore.a
MQ_A := $(BUILD)/libmq.a
SDK_A := $(BUILD)/libvestibule-device.a
SEAL_A := $(BUILD)/libseal.a
ENROL_A := $(BUILD)/libenrol.a
CORE_A := $(CONSENT_A) $(POLICY_A) $(PROTO_A) $(LIB_A)

SDK_SO := $(BUILD)/libvestibule-device.so
PLUGIN := $(BUILD)/mosquitto_vestibule.so
PROGRAMS := $(addprefix $(BUILD)/bin/vestibule-,doorbell home agency ctl relay ha conform)
MAN_SRC := $(wildcard docs/man/*.scd)
MAN := $(MAN_SRC:docs/man/%.scd=$(BUILD)/man/%)

PACKAGES_BUILD := gcc libc6-dev make git mosquitto mosquitto-clients mosquitto-dev libmosquitto-dev libpaho-mqtt-dev \
  libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libcurl4-openssl-dev libssl-dev libsqlite3-dev \
  libcjson-dev libmicrohttpd-dev libsodium-dev libqrencode-dev
PACKAGES_DEMO := $(PACKAGES_BUILD) openssl curl jq
PACKAGES_AARCH64 := gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
PACKAGES_SWIFT := swift-proxy swift-account swift-container swift-object python3
PACKAGES_TEST := $(PACKAGES_DEMO) $(PACKAGES_SWIFT) python3-jsonschema python3-jinja2 python3-yaml libcmocka-dev python3 python3-paho-mqtt sqlite3 age clang clang-tidy clang-format \
  cppcheck libclang-rt-14-dev llvm g++ scdoc man-db docker-compose universal-ctags valgrind \
  motion ffmpeg libgpiod-dev

.PHONY: all
all: plugin programs sdk man ## plugin, programs, device library, man pages
.PHONY: plugin programs sdk man
plugin: $(PLUGIN) ## the Mosquitto plugin
programs: $(PROGRAMS) ## the command-line programs
sdk: $(SDK_A) $(SDK_SO) ## the device library
man: $(if $(shell command -v scdoc),$(MAN)) ## man pages (needs scdoc)

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z0-9-]*:.*## /{printf "  %-14s %s\n", $$1, $$2}' Makefile

# --- how files are made ------------------------------------------------------------------------------------------

$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h: proto/%.proto
	@mkdir -p $(BUILD)/gen
	$(Q)protoc-c -Iproto --c_out=$(BUILD)/gen $<

$(BUILD)/obj/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC $<';) $(CC_OURS) -c -o $@ $<

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c | $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(CC_GEN) -c -o $@ $<

define archive
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)
endef

$(LIB_A): $(call objs,lib) ; $(archive)
$(PROTO_A): $(call objs,proto) $(GEN_C:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o) ; $(archive)
$(POLICY_A): $(call objs,plugin/policy) ; $(archive)
$(CONSENT_A): $(call objs,plugin/consent) ; $(archive)
$(STORE_A): $(call objs,plugin/store) ; $(archive)
$(MQ_A): $(call objs,clients/mq) ; $(archive)
$(SDK_A): $(call objs,clients/sdk) ; $(archive)
$(SEAL_A): $(call objs,clients/seal) ; $(archive)
$(ENROL_A): $(call objs,clients/enrol) ; $(archive)

$(PLUGIN): $(call objs,plugin) $(STORE_A) $(CORE_A) plugin/plugin.map
	$(if $(V),,@echo '  LD $@';) $(LINK) -shared -Wl,-Bsymbolic -Wl,-z,nodelete -Wl,--version-script=plugin/plugin.map -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	  -lprotobuf-c -lcjson -lsqlite3 -lcrypto -lm

$(SDK_SO): $(call objs,clients/sdk) $(PROTO_A) $(LIB_A) clients/sdk/vestibule_device.map
	$(if $(V),,@echo '  LD $@';) $(LINK) -shared -Wl,-Bsymbolic -Wl,-soname,libvestibule-device.so.0 \
	  -Wl,--version-script=clients/sdk/vestibule_device.map -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	  -lpaho-mqtt3as -lprotobuf-c -lcrypto

$(BUILD)/bin/vestibule-doorbell: $(call objs,clients/doorbell) $(ENROL_A) $(SEAL_A) $(SDK_A) $(MQ_A) $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $^ -lpaho-mqtt3as -lprotobuf-c -lsodium -lqrencode -lssl -lcrypto -lm $(GPIO_LIB)
$(BUILD)/obj/clients/doorbell/gpio.o: $(BUILD)/.gpio # compiled again when GPIO changes
$(BUILD)/obj/clients/doorbell/gpio.o: BASE += $(if $(GPIO_LIB),-DVESTIBULE_GPIO)
.PHONY: always
$(BUILD)/.gpio: always
	@mkdir -p $(@D); echo '$(GPIO_LIB)' | cmp -s - $@ || echo '$(GPIO_LIB)' >$@
$(BUILD)/bin/vestibule-home: $(call objs,clients/home) $(ENROL_A) $(SEAL_A) $(MQ_A) $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $^ -lmosquitto -lprotobuf-c -lcjson -lsodium -lssl -lcrypto -lm
$(BUILD)/bin/vestibule-ha: $(call objs,clients/homeassistant) $(MQ_A) $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $^ -lmosquitto -lprotobuf-c -lcjson -lcrypto -lm
$(BUILD)/bin/vestibule-conform: $(call objs,clients/conform) $(MQ_A) $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $^ -lmosquitto -lprotobuf-c -lcjson -lcrypto -lm
$(BUILD)/bin/vestibule-agency: $(call objs,clients/agency) $(MQ_A) $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $^ -lmosquitto -lprotobuf-c -lcjson -lcurl -lcrypto -lm
$(BUILD)/bin/vestibule-ctl: $(call objs,clients/ctl) $(MQ_A) $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $^ -lmosquitto -lprotobuf-c -lcjson -lsqlite3 -lcrypto -lm
$(BUILD)/bin/vestibule-relay: $(call objs,clients/relay) $(MQ_A) $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $^ -lmosquitto -lprotobuf-c -lcurl -lmicrohttpd -lsqlite3 -lcrypto -lm

$(BUILD)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	$(Q)scdoc < $< > $@

# --- unit tests: tests/unit/LAYER/NAME_test.c links LAYER and what lies below it -------------------------------------

UNIT_SRC := $(wildcard tests/unit/*/*_test.c) $(wildcard tests/tables/*_test.c) $(wildcard tests/store/*_test.c)
UNIT_BIN := $(UNIT_SRC:%.c=$(BUILD)/%)
$(BUILD)/tests/unit/lib/%_test: LAYER_A := $(LIB_A)
$(BUILD)/tests/unit/proto/%_test: LAYER_A := $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/policy/%_test: LAYER_A := $(POLICY_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/consent/%_test: LAYER_A := $(CORE_A)
$(BUILD)/tests/unit/store/%_test: LAYER_A := $(STORE_A) $(CORE_A)
$(BUILD)/tests/tables/%_test: LAYER_A := $(CORE_A)
$(BUILD)/tests/store/%_test: LAYER_A := $(STORE_A) $(CORE_A)
$(BUILD)/tests/unit/mq/%_test: LAYER_A := $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/sdk/%_test: LAYER_A := $(SDK_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/seal/%_test: LAYER_A := $(SEAL_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/enrol/%_test: LAYER_A := $(ENROL_A) $(SEAL_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/doorbell/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/doorbell)) $(ENROL_A) $(SEAL_A) $(SDK_A) $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/home/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/home)) $(ENROL_A) $(SEAL_A) $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/agency/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/agency)) $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/conform/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/conform)) $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/homeassistant/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/homeassistant)) $(MQ_A) $(PROTO_A) $(LIB_A)
# the relay's and the glue's parts without their main / entry points
$(BUILD)/tests/unit/relay/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/relay)) $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/plugin/%_test: LAYER_A = $(filter-out %/plugin.o,$(call objs,plugin)) $(STORE_A) $(CORE_A)

UNIT_LIBS = $(GPIO_LIB) -lcmocka -lprotobuf-c -lsqlite3 -lcjson -lcrypto -lm -lmosquitto -lpaho-mqtt3as -lcurl -lmicrohttpd -lsodium -lqrencode -lssl
.SECONDEXPANSION:
$(UNIT_BIN): $(BUILD)/%: $(BUILD)/obj/%.o $$(LAYER_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) $(UNIT_LIBS)

.PHONY: unit
unit: $(UNIT_BIN) ## unit, table and store suites
	@tests/unit.sh $(BUILD) $(UNIT_BIN)

.PHONY: layers pure
layers: ## who may include whom (tests/layers.txt)
	@tests/layers.sh
pure: $(CORE_A) ## policy, consent and topics do no I/O: shown from the object files
	@tests/pure.sh $(BUILD)

.PHONY: check
check: ## the inner loop: unit, tables, store, layers, purity
	@$(MAKE) --no-print-directory $(BUILD)/.unit-built
	@$(MAKE) --no-print-directory unit layers pure
.PHONY: $(BUILD)/.unit-built
$(BUILD)/.unit-built: $(UNIT_BIN)

# --- against real brokers ------------------------------------------------------------------------------------------

.PHONY: test-broker test-relay
test-broker: plugin programs $(BUILD)/tests/broker/seed ## real mosquitto processes; MOSQUITTO=/path for another binary
	@tests/broker/run.sh $(BUILD)
test-relay: programs ## the relay against a real mosquitto and a directory
	@tests/relay/run.sh $(BUILD)

$(BUILD)/tests/broker/seed: $(BUILD)/obj/tests/broker/seed.o $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) -lprotobuf-c -lsqlite3 -lcrypto -lm

# --- every branch of policy, consent and topics ------------------------------------------------------------------------

COVERAGE := $(addprefix $(BUILD)/,$(basename $(wildcard $(addprefix tests/unit/,policy/*_test.c consent/*_test.c proto/*_test.c) \
  tests/tables/*_test.c)) tests/sim/sim $(addprefix tests/fuzz/,$(addsuffix _fuzz.replay,consent decide topic)))
.PHONY: coverage coverage-run
coverage: ## every branch of policy/, consent/ and proto/topic taken and not taken, or it fails (needs clang and llvm)
	@$(MAKE) --no-print-directory -s CC=clang BUILD=$(BUILD)/coverage CFLAGS="-O0 -g -fprofile-instr-generate -fcoverage-mapping" coverage-run
coverage-run: $(COVERAGE)
	@tests/coverage.sh $(BUILD) $^

# --- another processor ------------------------------------------------------------------------------------------------

.PHONY: sdk-aarch64
sdk-aarch64: plugin programs ## library and doorbell for 64-bit Arm, their tests under qemu-user
	@tests/aarch64.sh $(BUILD) $(PACKAGES_AARCH64)

.PHONY: gpio
gpio: deps-test ## the button with and without libgpiod, both compilers; BOARD=1 also on QEMU's Arm board
	@tests/gpio.sh build/gpio
	@$(if $(BOARD),tests/gpio-board.sh build/gpio)

# --- fuzzers: X_fuzz.c is one; corpora and found crashes are replayed in `make test` -----------------------------------

FUZZ_SRC := $(wildcard tests/fuzz/*_fuzz.c)
FUZZ_REPLAY := $(FUZZ_SRC:%.c=$(BUILD)/%.replay)
FUZZ_BIN := $(FUZZ_SRC:%.c=$(BUILD)/fuzzing/%)
FUZZ_SECONDS ?= 60
$(BUILD)/glue.a: $(filter-out %/plugin.o,$(call objs,plugin)) # without the entry points
	$(if $(V),,@echo '  AR $@';) rm -f $@ && ar rcs $@ $^
FUZZ_LIBS := -lprotobuf-c -lsqlite3 -lcjson -lsodium -lcrypto -lm

$(BUILD)/tests/fuzz/%_fuzz.replay: $(BUILD)/obj/tests/fuzz/%_fuzz.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/glue.a $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS)

$(BUILD)/tests/fuzz/packet_fuzz.replay: $(BUILD)/obj/clients/conform/packet.o
$(BUILD)/tests/fuzz/claim_fuzz.replay: $(BUILD)/obj/clients/enrol/code.o $(call objs,clients/seal)

$(BUILD)/tests/fuzz/seeds: $(BUILD)/obj/tests/fuzz/seeds.o $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lprotobuf-c
.PHONY: fuzz-replay fuzz fuzz-seeds
fuzz-seeds: $(BUILD)/tests/fuzz/seeds ## write the generated part of the corpora again
	$< tests/fuzz/corpus
fuzz-replay: $(FUZZ_REPLAY) ## replay corpora and old crashes
	@tests/fuzz/replay.sh $(BUILD) $(FUZZ_REPLAY)

FUZZ_CC := clang $(filter-out -fPIC,$(BASE)) -O1 -g -w -MMD -MP -fsanitize=fuzzer-no-link -fsanitize=address \
  -fsanitize=undefined -fno-sanitize-recover=all
FUZZ_LAYERS := $(filter-out plugin/plugin.c,$(wildcard lib/*.c proto/*.c plugin/*.c plugin/*/*.c)) \
  clients/conform/packet.c clients/enrol/code.c $(wildcard clients/seal/*.c) $(GEN_C)
$(BUILD)/fuzzing/obj/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC $<';) $(FUZZ_CC) -c -o $@ $<
$(BUILD)/fuzzing/layers.a: $(FUZZ_LAYERS:%.c=$(BUILD)/fuzzing/obj/%.o)
	$(if $(V),,@echo '  AR $@';) rm -f $@ && ar rcs $@ $^
$(BUILD)/fuzzing/tests/fuzz/%: $(BUILD)/fuzzing/obj/tests/fuzz/%.o $(BUILD)/fuzzing/layers.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(FUZZ_CC) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)
fuzz: $(FUZZ_BIN) ## explore for FUZZ_SECONDS=60 each; found inputs stay in tests/fuzz/corpus
	@tests/fuzz/explore.sh $(BUILD) $(FUZZ_SECONDS) $(FUZZ_BIN)

# --- the simulator ------------------------------------------------------------------------------------------------------

$(BUILD)/tests/sim/sim: $(BUILD)/obj/tests/sim/sim.o $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lprotobuf-c -lsqlite3 -lm
STEPS ?= 1000000
.PHONY: sim
sim: $(BUILD)/tests/sim/sim ## the pure core against a slow model; STEPS=1000000 SEED=1
	@$< $(STEPS) $(or $(SEED),1)

$(BUILD)/tests/worlds/worlds: $(BUILD)/obj/tests/worlds/worlds.o $(BUILD)/glue.a $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS)

$(BUILD)/tests/durability/durability: $(call objs,tests/durability) $(BUILD)/glue.a $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS)

.PHONY: worlds
worlds: plugin programs $(BUILD)/tests/broker/seed $(BUILD)/tests/worlds/worlds ## can an agency tell apart why nothing came? SCRIPTS=200 SEED=1
	@tests/worlds/run.sh $(BUILD)

$(BUILD)/tests/torture/torture: $(BUILD)/obj/tests/torture/torture.o $(call objs,plugin) $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=strdup \
	  -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS)
STRIDE ?= 1
.PHONY: torture
torture: $(BUILD)/tests/torture/torture ## every allocation and every file operation fails once; STRIDE=1 (every n-th)
	@d=$$(mktemp -d) && $< $$d $(STRIDE); rc=$$?; rm -rf $$d; exit $$rc

# --- benchmarks ------------------------------------------------------------------------------------------------------

$(BUILD)/tests/bench/%_bench: $(BUILD)/obj/tests/bench/%_bench.o $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS)
.PHONY: bench
bench: programs plugin $(BUILD)/tests/broker/seed $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*_bench.c)) ## ns per decision, retraction, many homes, approval to copy, relay RSS
	@tests/bench/run.sh $(BUILD)

# --- code and pages ----------------------------------------------------------------------------------------------------

$(BUILD)/tests/fields: $(BUILD)/obj/tests/fields.o $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lprotobuf-c
.PHONY: lint docs-check
lint: $(GEN_H) ## clang-format, cppcheck, clang-tidy, shell syntax
	@tests/lint.sh $(BUILD)
docs-check: programs man $(BUILD)/tests/fields ## every path, option and command that a page names exists
	@tests/docs-check.sh $(BUILD)

# --- what a newcomer types first -----------------------------------------------------------------------------------------

.PHONY: deps-build deps-demo deps-test
deps-build:
	@tests/deps.sh $(PACKAGES_BUILD)
deps-demo:
	@tests/deps.sh $(PACKAGES_DEMO) $(if $(filter s3,$(STORAGE)),$(PACKAGES_SWIFT))
deps-test:
	@tests/deps.sh $(PACKAGES_TEST)

.PHONY: hello demo test
hello: deps-demo ## the first minute: a ring, a neighbour refused, an integrator granted and retracted
	@echo "building ..."; $(MAKE) --no-print-directory -s -j2 plugin programs >/dev/null
	@tests/hello.sh $(BUILD)
demo: deps-demo ## the whole story with agencies; STORAGE=s3 on a bucket; TLS=1 with certificates; KEEP=1 leaves it up
	@echo "building ..."; $(MAKE) --no-print-directory -s -j2 plugin programs >/dev/null
	@STORAGE=$(STORAGE) TLS=$(TLS) tests/demo.sh $(BUILD)
.PHONY: crash
ROUNDS ?= 50
crash: deps-test ## the story with kill -9 at random points; ROUNDS=50 SEED=random
	@ROUNDS=$(ROUNDS) SEED=$(SEED) tests/crash/run.sh $(BUILD)
.PHONY: durability restore-check
durability: ## the engine and its store, dead at every step; ROUNDS=50 SEED=1
	@ROUNDS=$(ROUNDS) SEED=$(or $(SEED),1) tests/durability/run.sh $(BUILD)
restore-check: deps-test plugin programs ## a backup put back in each way: no retracted grant comes back; WAYS="cp folder" for some
	@/usr/bin/python3 tests/restore/restore.py $(BUILD) $(WAYS)
.PHONY: mutants
mutants: deps-test ## each defence taken out once: its own test must fail; ONLY="I4 kick" for some
	@tests/mutants/run.py $(BUILD) $(ONLY)
test: deps-test ## exactly what CI runs
	@tests/all.sh

.PHONY: install
install: all ## into DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/vestibule $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	  $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man3
	install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 0644 $(PLUGIN) $(DESTDIR)$(PREFIX)/lib/vestibule
	rm -f $(BUILD)/whole.a && $(AR) rcs $(BUILD)/whole.a $(call objs,clients/sdk) $(call objs,proto) $(call objs,lib) \
	  $(GEN_C:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o)
	install -m 0644 $(BUILD)/whole.a $(DESTDIR)$(PREFIX)/lib/libvestibule-device.a
	install -m 0644 $(SDK_SO) $(DESTDIR)$(PREFIX)/lib/libvestibule-device.so.0
	ln -sf libvestibule-device.so.0 $(DESTDIR)$(PREFIX)/lib/libvestibule-device.so
	install -m 0644 clients/sdk/vestibule_device.h $(DESTDIR)$(PREFIX)/include
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' clients/sdk/vestibule-device.pc.in \
	  >$(DESTDIR)$(PREFIX)/lib/pkgconfig/vestibule-device.pc
	for m in $(wildcard $(BUILD)/man/*.1); do install -m 0644 $$m $(DESTDIR)$(PREFIX)/share/man/man1; done
	for m in $(wildcard $(BUILD)/man/*.3); do install -m 0644 $$m $(DESTDIR)$(PREFIX)/share/man/man3; done

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

-include $(shell find $(BUILD)/obj $(BUILD)/fuzzing/obj -name '*.d' 2>/dev/null)
