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
mandir   ?= $(prefix)/share/man
libdir   ?= $(prefix)/lib
unitdir  ?= $(libdir)/systemd/system
datadir  ?= $(prefix)/share
zshdir   ?= $(datadir)/zsh/site-functions
sysconfdir ?= /etc
DESTDIR  ?=
PYTHON   ?= /usr/bin/python3
VERSION  := 0.1.0

.DEFAULT_GOAL := all

# All processors, unless JOBS says otherwise. Commands in short; V=1 shows them whole.
JOBS ?= $(shell nproc)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif
silent = $(findstring s,$(firstword -$(MAKEFLAGS)))
run    = $(if $(V),,@$(if $(silent),,printf '  %-4s %s\n' $(1) $@;))

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
FUZZ_C      := $(wildcard tests/fuzz/*.c)
MODELS_C    := $(wildcard tests/models/*.c)
ALL_C       := $(COMMON_C) $(CONNECTOR_C) connector/main.c $(CLI_C) $(EMULATOR_C) $(TESTLIB_C) \
               $(UNIT_C) $(BENCH_C) $(FUZZ_C) $(MODELS_C)

objects = $(patsubst %.c,$(B)/%.o,$(1))

# ---- packages ------------------------------------------------------------------------------------

TEST_GOALS := $(filter check check-% demo recording bench lint fuzz deb rpm,$(or $(MAKECMDGOALS),all))
LIBRARIES  := libuv libcurl libcjson libsystemd sqlite3 libssl libcrypto zlib libseccomp

# Compiler flags of the libraries, asked once. Test targets install what is missing first.
ifneq ($(filter-out clean help deps uninstall,$(or $(MAKECMDGOALS),all)),)
-include $(B)/config.mk
endif
$(B)/config.mk: packaging/build-depends Makefile $(if $(TEST_GOALS),$(B)/test-depends)
	@mkdir -p $(@D)
	@pkg-config --print-errors --exists $(LIBRARIES) libqrencode && cups-config --version >/dev/null || \
	{ echo "make: run 'make deps' first" >&2; exit 1; }
	@{ echo "LIB_CFLAGS := $$(pkg-config --cflags $(LIBRARIES)) $$(cups-config --cflags)"; \
	   echo "DAEMON_LIBS := $$(pkg-config --libs $(LIBRARIES)) $$(cups-config --libs)"; \
	   echo "CLI_LIBS := $$(pkg-config --libs libcjson libqrencode)"; \
	   echo "TEST_LIBS := $$(pkg-config --libs cmocka libssl 2>/dev/null)"; \
	   echo "EMULATOR_LIBS := $$(pkg-config --libs libmicrohttpd gnutls zlib libcrypto 2>/dev/null)" \
	        "$$(cups-config --libs)"; } >$@
$(B)/test-depends: packaging/build-depends packaging/test-depends
	@packaging/install-depends.sh $^
	@mkdir -p $(@D)
	@touch $@
$(B)/package-depends: packaging/package-depends
	@packaging/install-depends.sh $^
	@mkdir -p $(@D)
	@touch $@

deps: ## install the Debian packages that building and testing need (root or sudo)
	@packaging/install-depends.sh packaging/build-depends packaging/test-depends

# ---- flags ---------------------------------------------------------------------------------------

WERROR    ?= -Werror
WARNINGS  := -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wstrict-prototypes \
             -Wmissing-prototypes -Wvla -Wformat=2 $(WERROR)
# libcups 2.4 marks what libcups 3 renamed as deprecated; one code base serves both
WARNINGS  += -Wno-deprecated-declarations
# the sanitizers' own code confuses what gcc believes to know of values
WARNINGS  += $(if $(SANITIZE),$(if $(findstring clang,$(CC)),,-Wno-maybe-uninitialized \
             -Wno-format-truncation))
HARDENING := $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3) -fstack-protector-strong -fstack-clash-protection \
             -fPIE
CFLAGS    ?= -O2 -g
SANITIZING = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
BASE_CFLAGS = -std=gnu17 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. -I$(B)/gen $(LIB_CFLAGS) \
             $(WARNINGS) $(HARDENING) $(if $(SANITIZE),$(SANITIZING))
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
	$(call run,CC)$(CC) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libcommon.a: $(call objects,$(COMMON_C))
$(B)/libconnector.a: $(call objects,$(CONNECTOR_C))
$(B)/libtest.a: $(call objects,$(TESTLIB_C))
$(B)/lib%.a:
	@rm -f $@
	$(call run,AR)$(AR) rcs $@ $^

$(B)/print-connectord: $(B)/connector/main.o $(B)/libconnector.a $(B)/libcommon.a
	$(call run,LD)$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS)
$(B)/print-connector: $(call objects,$(CLI_C)) $(B)/libcommon.a
	$(call run,LD)$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)
$(B)/cloud-emulator: $(call objects,$(EMULATOR_C))
	$(call run,LD)$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(EMULATOR_LIBS)
$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(B)/libtest.a $(B)/libconnector.a $(B)/libcommon.a
	$(call run,LD)$(CC) $(BASE_LDFLAGS) $(LDFLAGS) $(WRAP) -o $@ -Wl,--start-group $^ -Wl,--end-group $(DAEMON_LIBS) $(TEST_LIBS)
$(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(B)/libconnector.a \
                          $(B)/libcommon.a
	$(call run,LD)$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS)
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libconnector.a $(B)/libcommon.a
	$(call run,LD)$(CC) $(BASE_LDFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS)
$(B)/check-model: $(call objects,tests/models/check.c tests/emulator/up_attributes.c \
                    tests/emulator/up_minimum.c) $(B)/libconnector.a $(B)/libcommon.a
	$(call run,LD)$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS)
# Preloaded into the daemon: makes an allocation fail. Not with a sanitizer, which has its own.
$(B)/no-memory.so: tests/preload/no_memory.c $(B)/config.mk
	@mkdir -p $(@D)
	$(call run,LD)$(CC) -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -fPIC -shared -o $@ $<
# What stands in for a program that converts documents, of the system and so without sanitizer.
$(B)/odd-converter: tests/programs/odd_converter.c $(B)/config.mk
	@mkdir -p $(@D)
	$(call run,LD)$(CC) -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -o $@ $<
$(B)/tests/unit/test_convert: | $(B)/odd-converter
$(B)/bench-%: $(B)/tests/bench/%.o
	$(call run,LD)$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS)

# The Varlink interface as a C string, for the daemon's introspection.
$(B)/gen/varlink_idl.inc: common/org.printconnector.Connector.varlink
	@mkdir -p $(@D)
	@sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $< >$@
$(call objects,$(COMMON_C) $(CONNECTOR_C) $(UNIT_C)): | $(B)/gen/varlink_idl.inc

-include $(patsubst %.c,$(B)/%.d,$(ALL_C))

# ---- test ----------------------------------------------------------------------------------------

UNIT_TESTS  := $(UNIT_C:%.c=$(B)/%)
FUZZERS     := $(patsubst tests/fuzz/fuzz_%.c,%,$(filter tests/fuzz/fuzz_%,$(FUZZ_C)))
REPLAYS     := $(FUZZERS:%=$(B)/tests/fuzz/replay_%)
BENCHES     := $(BENCH_C:tests/bench/%.c=$(B)/bench-%)
FUZZ_TIME   ?= 60
TESTS       ?= tests/integration
ASAN        := B=build-asan SANITIZE=address,undefined

test-programs: $(PROGRAMS) $(B)/cloud-emulator $(B)/no-memory.so $(B)/odd-converter $(UNIT_TESTS) $(REPLAYS) $(BENCHES) $(B)/check-model

check: test-programs $(if $(SANITIZE),,deb) ## install what is needed, build, run all tests
	@MODELS_ARGS='--models 200' tests/run.sh $(B) unit integration models $(if $(SANITIZE),,system crash)

check-system: $(B)/cloud-emulator $(B)/odd-converter deb ## the installed package under a real systemd
	@TESTS='$(filter-out tests/integration,$(TESTS))' tests/run.sh $(B) system

check-unit: $(UNIT_TESTS) $(REPLAYS) ## unit tests, and the fuzzers' corpora
	@tests/run.sh $(B) unit

check-integration: $(PROGRAMS) $(B)/cloud-emulator $(B)/no-memory.so $(B)/odd-converter ## with real cupsd and printers; TESTS=FILE for some
	@TESTS='$(TESTS)' tests/run.sh $(B) integration

check-packages: deb rpm ## try both packages on minimal systems; needs the network of apt
	@tests/packages.sh $(B)

check-autopkgtest: deb $(B)/package-depends ## the Debian package's own test, as Debian runs it
	@tests/packages.sh $(B) autopkgtest

check-models: $(B)/check-model ## all models of the installed printer drivers: many thousands, minutes
	@tests/run.sh $(B) models

check-crash: $(PROGRAMS) $(B)/cloud-emulator $(B)/tests/unit/test_simulation ## break everything, short
	@tests/run.sh $(B) crash

check-crash-long: $(PROGRAMS) $(B)/cloud-emulator $(B)/tests/unit/test_simulation ## for hours
	@CRASH_ARGS='--faults 20000 --sweeps 4 --lives 10000000 $(CRASH_ARGS)' tests/run.sh $(B) crash

check-asan: ## all tests with the address and undefined behaviour sanitizers
	@$(MAKE) --no-print-directory $(ASAN) check

lint: export LINT_CFLAGS = $(BASE_CFLAGS)
lint: $(B)/gen/varlink_idl.inc ## format, layers, banned calls, warnings, scripts, spelling, manuals
	@tests/lint/run.sh

fuzz: ## libFuzzer on each parser, FUZZ_TIME seconds each
	@$(MAKE) --no-print-directory B=build-fuzz CC=clang SANITIZE=address,undefined \
	        CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' $(FUZZERS:%=build-fuzz/tests/fuzz/fuzz_%)
	@for name in $(FUZZERS); do \
	        mkdir -p build-fuzz/corpus/$$name && \
	        build-fuzz/tests/fuzz/fuzz_$$name -max_total_time=$(FUZZ_TIME) -timeout=10 \
	                -artifact_prefix=build-fuzz/$$name- -print_final_stats=1 \
	                build-fuzz/corpus/$$name tests/fuzz/corpus/$$name || exit 1; \
	done

bench: $(PROGRAMS) $(B)/cloud-emulator $(BENCHES) ## measure speed and memory, against printing directly
	@tests/as-root.sh BUILD=$(B) $(PYTHON) -B tests/bench/bench.py $(BENCH_ARGS)

demo: $(PROGRAMS) $(B)/cloud-emulator ## print through a cloud to three printers, all on this machine
	@tests/as-root.sh BUILD=$(B) $(PYTHON) -B tests/demo/demo.py $(DEMO_ARGS)

recording: $(PROGRAMS) $(B)/cloud-emulator ## every verb as a person sees it, in 80 columns
	@tests/as-root.sh BUILD=$(B) $(PYTHON) -B tests/demo/recording.py

compile_commands.json: export COMMAND = $(CC) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS)
compile_commands.json: $(B)/gen/varlink_idl.inc ## for editors and clang's tools
	@$(PYTHON) -c 'import json, os, sys; json.dump([{"directory": os.getcwd(), "file": c, \
	        "command": os.environ["COMMAND"] + " -c " + c} for c in sys.argv[1:]], \
	        open("$@", "w"), indent=1)' $(wildcard $(ALL_C))

# ---- packages for users --------------------------------------------------------------------------

# What a package is made of: the files of the tree, with packaging/debian where dpkg wants it.
PACKAGED := $(filter-out build%,$(wildcard *)) $(wildcard common/* connector/*/* systemd/* \
            systemd/*/* man/* packaging/* packaging/*/* packaging/*/*/*)

deb: $(B)/deb/done ## Debian packages, in build/deb
$(B)/deb/done: $(filter-out $(B)/%,$(PACKAGED))
	@rm -rf $(B)/deb && mkdir -p $(B)/deb/source
	@tar -c --exclude='./build*' --exclude=./.git . | tar -x -C $(B)/deb/source
	@mv $(B)/deb/source/packaging/debian $(B)/deb/source/debian
	$(call run,DEB)cd $(B)/deb/source && CC='$(CC)' dpkg-buildpackage -us -uc -b >../build.log 2>&1 || \
	{ tail -n 30 ../build.log; exit 1; }
	@touch $@

rpm: $(B)/rpm/done ## an RPM package, in build/rpm
$(B)/rpm/done: $(filter-out $(B)/%,$(PACKAGED)) | $(B)/package-depends
	@rm -rf $(B)/rpm && mkdir -p $(B)/rpm/SOURCES
	@tar -c --exclude='./build*' --exclude=./.git --transform='s,^\.,print-connector-$(VERSION),' . | \
	gzip >$(B)/rpm/SOURCES/print-connector-$(VERSION).tar.gz
	$(call run,RPM)CC='$(CC)' rpmbuild -bb --nodeps --define '_topdir $(CURDIR)/$(B)/rpm' \
	        packaging/print-connector.spec >$(B)/rpm/build.log 2>&1 || \
	{ tail -n 30 $(B)/rpm/build.log; exit 1; }
	@touch $@

# ---- install -------------------------------------------------------------------------------------

# A pause that grows between restarts needs systemd 254.
RESTART_STEPS := $(shell pkg-config --exists 'libsystemd >= 254' 2>/dev/null && echo yes)

# source=target of everything that is installed, units and manuals as far as there are any
INSTALLED := $(B)/print-connectord=$(sbindir)/print-connectord \
             $(B)/print-connector=$(bindir)/print-connector \
             $(foreach f,$(wildcard systemd/*.service systemd/*.socket systemd/*.timer \
               $(if $(RESTART_STEPS),systemd/*.service.d/*.conf)),\
               $(f)=$(unitdir)/$(f:systemd/%=%)) \
             $(foreach f,$(wildcard systemd/*.sysusers),\
               $(f)=$(libdir)/sysusers.d/$(basename $(notdir $(f))).conf) \
             $(foreach f,$(wildcard systemd/*.tmpfiles),\
               $(f)=$(libdir)/tmpfiles.d/$(basename $(notdir $(f))).conf) \
             $(foreach f,$(wildcard systemd/*.preset),\
               $(f)=$(libdir)/systemd/system-preset/50-$(notdir $(f))) \
             packaging/print-connector.conf=$(sysconfdir)/print-connector/print-connector.conf \
             packaging/completions/print-connector.bash=$(datadir)/bash-completion/completions/print-connector \
             packaging/completions/print-connector.zsh=$(zshdir)/_print-connector \
             packaging/completions/print-connector.fish=$(datadir)/fish/vendor_completions.d/print-connector.fish \
             packaging/grafana/print-connector.json=$(datadir)/print-connector/grafana.json \
             packaging/prometheus/print-connector.rules.yml=$(datadir)/print-connector/prometheus.rules.yml \
             $(foreach f,$(wildcard systemd/*.catalog),$(f)=$(libdir)/systemd/catalog/$(notdir $(f))) \
             $(foreach f,$(wildcard man/*.[1-8]),\
               $(f)=$(mandir)/man$(patsubst .%,%,$(suffix $(f)))/$(notdir $(f)))

install: $(PROGRAMS) ## to DESTDIR, below prefix; settings that are there stay
	@for pair in $(INSTALLED); do \
	        case $$pair in $(B)/*) mode=755 ;; *) mode=644 ;; esac; \
	        case $$pair in *.conf=$(sysconfdir)/*) [ ! -e "$(DESTDIR)$${pair#*=}" ] || continue ;; esac; \
	        install -v -D -m $$mode "$${pair%%=*}" "$(DESTDIR)$${pair#*=}" || exit 1; \
	done

uninstall: ## remove what install put there, but not the settings
	@for pair in $(INSTALLED); do \
	        case $$pair in *.conf=$(sysconfdir)/*) continue ;; esac; \
	        rm -fv "$(DESTDIR)$${pair#*=}"; \
	done

sample: $(B)/print-connectord ## write the settings file that is installed, from the table
	@$< --sample-config >packaging/print-connector.conf

clean: ## remove everything that was built
	rm -rf build build-* compile_commands.json

help: ## list the targets
	@sed -n 's/^\([a-z][a-z_.-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 24

.PHONY: all deps test-programs deb rpm check check-unit check-integration check-models check-system \
        check-packages check-autopkgtest check-crash check-crash-long check-asan lint fuzz bench demo recording \
        install uninstall sample clean help
.SECONDARY:
