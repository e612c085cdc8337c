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
CORE_A := $(CONSENT_A) $(POLICY_A) $(PROTO_A) $(LIB_A)

SDK_SO := $(BUILD)/libvestibule-device.so
PLUGIN := $(BUILD)/mosquitto_vestibule.so
PROGRAMS := $(addprefix $(BUILD)/bin/vestibule-,doorbell home agency ctl relay ha)
MAN_SRC := $(wildcard docs/man/*.scd)
MAN := $(MAN_SRC:docs/man/%.scd=$(BUILD)/man/%)

PACKAGES_BUILD := gcc libc6-dev make git mosquitto mosquitto-clients mosquitto-dev libmosquitto-dev libpaho-mqtt-dev \
  libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libcurl4-openssl-dev libssl-dev libsqlite3-dev \
  libcjson-dev libmicrohttpd-dev
PACKAGES_DEMO := $(PACKAGES_BUILD) openssl curl jq
PACKAGES_SWIFT := swift-proxy swift-account swift-container swift-object python3
PACKAGES_TEST := $(PACKAGES_DEMO) $(PACKAGES_SWIFT) python3-jsonschema python3-jinja2 libcmocka-dev python3 python3-paho-mqtt sqlite3 clang clang-tidy clang-format \
  cppcheck libclang-rt-14-dev g++ scdoc man-db docker-compose universal-ctags valgrind

.PHONY: all
all: plugin programs sdk man ## plugin, programs, device library, man pages
.PHONY: plugin programs sdk man
plugin: $(PLUGIN) ## the Mosquitto plugin
programs: $(PROGRAMS) ## the command-line programs
sdk: $(SDK_A) $(SDK_SO) ## the device library
man: $(if $(shell command -v scdoc),$(MAN)) ## man pages (needs scdoc)

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  %-14s %s\n", $$1, $$2}' Makefile

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
	$(Q)ar rcs $@ $(filter %.o,$^)
endef

$(LIB_A): $(call objs,lib) ; $(archive)
$(PROTO_A): $(call objs,proto) $(GEN_C:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o) ; $(archive)
$(POLICY_A): $(call objs,plugin/policy) ; $(archive)
$(CONSENT_A): $(call objs,plugin/consent) ; $(archive)
$(STORE_A): $(call objs,plugin/store) ; $(archive)
$(MQ_A): $(call objs,clients/mq) ; $(archive)
$(SDK_A): $(call objs,clients/sdk) ; $(archive)

$(PLUGIN): $(call objs,plugin) $(STORE_A) $(CORE_A) plugin/plugin.map
	$(if $(V),,@echo '  LD $@';) $(LINK) -shared -Wl,-Bsymbolic -Wl,-z,nodelete -Wl,--version-script=plugin/plugin.map -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	  -lprotobuf-c -lcjson -lsqlite3 -lcrypto -lm

$(SDK_SO): $(call objs,clients/sdk) $(PROTO_A) $(LIB_A) clients/sdk/vestibule_device.map
	$(if $(V),,@echo '  LD $@';) $(LINK) -shared -Wl,-Bsymbolic -Wl,-soname,libvestibule-device.so.0 \
	  -Wl,--version-script=clients/sdk/vestibule_device.map -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	  -lpaho-mqtt3as -lprotobuf-c -lcrypto

$(BUILD)/bin/vestibule-doorbell: $(call objs,clients/doorbell) $(SDK_A) $(MQ_A) $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $^ -lpaho-mqtt3as -lprotobuf-c -lcrypto -lm
$(BUILD)/bin/vestibule-home: $(call objs,clients/home) $(MQ_A) $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $^ -lmosquitto -lprotobuf-c -lcjson -lcrypto -lm
$(BUILD)/bin/vestibule-ha: $(call objs,clients/homeassistant) $(MQ_A) $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $^ -lmosquitto -lprotobuf-c -lcjson -lcrypto -lm
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
$(BUILD)/tests/unit/doorbell/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/doorbell)) $(SDK_A) $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/home/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/home)) $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/agency/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/agency)) $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/homeassistant/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/homeassistant)) $(MQ_A) $(PROTO_A) $(LIB_A)
# the relay's and the glue's parts without their main / entry points
$(BUILD)/tests/unit/relay/%_test: LAYER_A = $(filter-out %/main.o,$(call objs,clients/relay)) $(MQ_A) $(PROTO_A) $(LIB_A)
$(BUILD)/tests/unit/plugin/%_test: LAYER_A = $(filter-out %/plugin.o,$(call objs,plugin)) $(STORE_A) $(CORE_A)

UNIT_LIBS = -lcmocka -lprotobuf-c -lsqlite3 -lcjson -lcrypto -lm -lmosquitto -lpaho-mqtt3as -lcurl -lmicrohttpd
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

# --- fuzzers: X_fuzz.c is one; corpora and found crashes are replayed in `make test` -----------------------------------

FUZZ_SRC := $(wildcard tests/fuzz/*_fuzz.c)
FUZZ_REPLAY := $(FUZZ_SRC:%.c=$(BUILD)/%.replay)
FUZZ_BIN := $(FUZZ_SRC:%.c=$(BUILD)/fuzzing/%)
FUZZ_SECONDS ?= 60
FUZZ_LIBS := -lprotobuf-c -lsqlite3 -lcjson -lcrypto -lm

$(BUILD)/tests/fuzz/%_fuzz.replay: $(BUILD)/obj/tests/fuzz/%_fuzz.o $(BUILD)/obj/tests/fuzz/replay.o $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS)

$(BUILD)/tests/fuzz/seeds: $(BUILD)/obj/tests/fuzz/seeds.o $(PROTO_A) $(LIB_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lprotobuf-c
.PHONY: fuzz-replay fuzz fuzz-seeds
fuzz-seeds: $(BUILD)/tests/fuzz/seeds ## write the generated part of the corpora again
	$< tests/fuzz/corpus
fuzz-replay: $(FUZZ_REPLAY) ## replay corpora and old crashes
	@tests/fuzz/replay.sh $(BUILD) $(FUZZ_REPLAY)

FUZZ_LAYERS := $(wildcard lib/*.c proto/*.c plugin/policy/*.c plugin/consent/*.c)
$(BUILD)/fuzzing/tests/fuzz/%: tests/fuzz/%.c $(FUZZ_LAYERS) $(GEN_C) | $(GEN_H)
	@mkdir -p $(@D)
	clang $(filter-out -fPIC,$(BASE)) -O1 -g -fsanitize=fuzzer -fsanitize=address -fsanitize=undefined \
	  -fno-sanitize-recover=all -w -o $@ $(filter %.c,$^) $(FUZZ_LIBS)
fuzz: $(FUZZ_BIN) ## explore for FUZZ_SECONDS=60 each; found inputs stay in tests/fuzz/corpus
	@tests/fuzz/explore.sh $(BUILD) $(FUZZ_SECONDS) $(FUZZ_BIN)

# --- benchmarks ------------------------------------------------------------------------------------------------------

$(BUILD)/tests/bench/%_bench: $(BUILD)/obj/tests/bench/%_bench.o $(STORE_A) $(CORE_A)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LD $@';) $(LINK) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS)
.PHONY: bench
bench: programs plugin $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*_bench.c)) ## ns per decision, approval to copy, relay RSS
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
demo: deps-demo ## the whole story with agencies; STORAGE=s3 on a bucket; KEEP=1 leaves it up
	@echo "building ..."; $(MAKE) --no-print-directory -s -j2 plugin programs >/dev/null
	@STORAGE=$(STORAGE) tests/demo.sh $(BUILD)
.PHONY: crash
ROUNDS ?= 50
crash: deps-test ## the story with kill -9 at random points; ROUNDS=50 SEED=random
	@ROUNDS=$(ROUNDS) SEED=$(SEED) tests/crash/run.sh $(BUILD)
test: deps-test ## exactly what CI runs
	@tests/all.sh

.PHONY: install
install: all ## into DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/vestibule $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	  $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man3
	install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 0644 $(PLUGIN) $(DESTDIR)$(PREFIX)/lib/vestibule
	rm -f $(BUILD)/whole.a && ar rcs $(BUILD)/whole.a $(call objs,clients/sdk) $(call objs,proto) $(call objs,lib) \
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

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
