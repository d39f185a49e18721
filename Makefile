# print-connector: everything is built, tested and installed from here.
# `make help` lists the targets.

B        ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
SANITIZE ?=
prefix   ?= /usr
sbindir  ?= $(prefix)/sbin
bindir   ?= $(prefix)/bin
VERSION  := 0.1.0

.DEFAULT_GOAL := all

# ---- what there is -------------------------------------------------------------------------------

COMMON_C    := $(wildcard common/*.c)
CONNECTOR_C := $(wildcard connector/base/*.c connector/cloud/*.c connector/printer/*.c \
                 connector/store/*.c connector/core/*.c connector/control/*.c) \
               $(filter-out connector/main.c,$(wildcard connector/*.c))
CLI_C       := $(wildcard connector/cli/*.c)
EMULATOR_C  := $(wildcard tests/emulator/*.c)
TESTLIB_C   := $(wildcard tests/lib/*.c)
UNIT_C      := $(wildcard tests/unit/test_*.c)
BENCH_C     := $(wildcard tests/bench/*.c)
ALL_C       := $(COMMON_C) $(CONNECTOR_C) connector/main.c $(CLI_C) $(EMULATOR_C) $(TESTLIB_C) \
               $(UNIT_C) $(BENCH_C)

objects = $(patsubst %.c,$(B)/%.o,$(1))

# ---- packages ------------------------------------------------------------------------------------

TEST_GOALS := $(filter check check-% demo bench lint,$(or $(MAKECMDGOALS),all))
DEPENDS    := packaging/build-depends $(if $(TEST_GOALS),packaging/test-depends)

# Compiler flags of the libraries, asked once. Test targets install what is missing first.
ifeq ($(filter clean help deps,$(MAKECMDGOALS)),)
-include $(B)/config.mk
endif
$(B)/config.mk: packaging/build-depends packaging/test-depends Makefile
	$(if $(TEST_GOALS),@packaging/install-depends.sh $(DEPENDS))
	@mkdir -p $(@D)
	@pkg-config --print-errors --exists libuv libcurl libcjson libsystemd sqlite3 libssl libcrypto zlib && \
	cups-config --version >/dev/null || { echo "make: run 'make deps' first" >&2; exit 1; }
	@{ echo "LIB_CFLAGS := $$(pkg-config --cflags libuv libcurl libcjson libsystemd sqlite3 libssl libcrypto zlib)" \
	        "$$(cups-config --cflags)"; \
	   echo "DAEMON_LIBS := $$(pkg-config --libs libuv libcurl libcjson libsystemd sqlite3 libssl libcrypto zlib)" \
	        "$$(cups-config --libs)"; \
	   echo "CLI_LIBS := $$(pkg-config --libs libcjson)"; \
	   echo "TEST_LIBS := $$(pkg-config --libs cmocka libssl 2>/dev/null)"; \
	   echo "EMULATOR_LIBS := $$(pkg-config --libs libmicrohttpd gnutls zlib libcrypto 2>/dev/null)" \
	        "$$(cups-config --libs)"; } >$@

deps: ## install the Debian packages that building and testing need (root or sudo)
	@packaging/install-depends.sh packaging/build-depends packaging/test-depends

# ---- flags ---------------------------------------------------------------------------------------

WARNINGS  := -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wstrict-prototypes \
             -Wmissing-prototypes -Wvla -Wformat=2 -Werror
# libcups 2.4 marks what libcups 3 renamed as deprecated; one code base serves both
WARNINGS  += -Wno-deprecated-declarations
HARDENING := $(if $(SANITIZE),,-D_FORTIFY_SOURCE=3) -fstack-protector-strong -fstack-clash-protection \
             -fPIE
CFLAGS    ?= -O2 -g
BASE_CFLAGS = -std=gnu17 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. -I$(B)/gen $(LIB_CFLAGS) \
             $(WARNINGS) $(HARDENING) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer)
LDFLAGS   ?=
BASE_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SANITIZE),-fsanitize=$(SANITIZE))

# System calls that unit tests make fail in turn (tests/lib/fault.h).
WRAPPED := open openat write pwrite read fsync fdatasync close renameat unlinkat
comma   := ,
# -u: fault.c holds them all and is needed even when only the libraries behind it call one
WRAP    := -Wl,-u,__wrap_open $(foreach call,$(WRAPPED),-Wl$(comma)--wrap=$(call))

# ---- build ---------------------------------------------------------------------------------------

PROGRAMS := $(B)/print-connectord $(B)/print-connector

all: $(PROGRAMS) ## build both programs

$(B)/%.o: %.c $(B)/config.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libcommon.a: $(call objects,$(COMMON_C))
$(B)/libconnector.a: $(call objects,$(CONNECTOR_C))
$(B)/libtest.a: $(call objects,$(TESTLIB_C))
$(B)/lib%.a:
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/print-connectord: $(B)/connector/main.o $(B)/libconnector.a $(B)/libcommon.a
	$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS)
$(B)/print-connector: $(call objects,$(CLI_C)) $(B)/libcommon.a
	$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)
$(B)/cloud-emulator: $(call objects,$(EMULATOR_C))
	$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(EMULATOR_LIBS)
$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(B)/libtest.a $(B)/libconnector.a $(B)/libcommon.a
	$(CC) $(BASE_LDFLAGS) $(LDFLAGS) $(WRAP) -o $@ -Wl,--start-group $^ -Wl,--end-group $(DAEMON_LIBS) $(TEST_LIBS)
$(B)/bench-%: $(B)/tests/bench/%.o
	$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS)

# The Varlink interface as a C string, for the daemon's introspection.
$(B)/gen/varlink_idl.inc: common/org.printconnector.Connector.varlink
	@mkdir -p $(@D)
	sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $< >$@
$(call objects,$(COMMON_C) $(CONNECTOR_C) $(UNIT_C)): | $(B)/gen/varlink_idl.inc

-include $(patsubst %.c,$(B)/%.d,$(ALL_C))

# ---- test ----------------------------------------------------------------------------------------

UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_C))

test-programs: $(PROGRAMS) $(B)/cloud-emulator $(UNIT_TESTS) $(patsubst tests/bench/%.c,$(B)/bench-%,$(BENCH_C))

.PHONY: all deps test-programs
.SECONDARY:

clean: ## remove everything that was built
	rm -rf build build-*

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16
