# Two commands are enough on a fresh Debian machine with a Swift toolchain: make demo, make test.

PACKAGES := libopenblas-dev liblapacke-dev libsimdjson-dev libfast-float-dev zlib1g-dev \
            libyaml-dev libssl-dev pkg-config
MILLRACE := .build/release/millrace
SUDO     := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: build demo test bench format lint packages clean

build: packages
	swift build -c release --static-swift-stdlib --product millrace

demo: build
	$(MILLRACE) demo

# Release: the kernels are only fast there, and it is what is shipped.
test: build
	swift test -c release

bench: build
	Benchmarks/compare

format:
	swift format --in-place --recursive Sources Tests Benchmarks Package.swift

lint:
	swift format lint --strict --recursive Sources Tests Benchmarks Package.swift

# Installs the C libraries that are missing, and says which.
packages:
	@if command -v dpkg-query >/dev/null; then \
	  missing=$$(for package in $(PACKAGES); do \
	    dpkg-query -W -f='$${db:Status-Status}\n' $$package 2>/dev/null | grep -q '^installed' \
	      || echo $$package; done); \
	  if [ -n "$$missing" ]; then \
	    echo "Installing" $$missing; \
	    $(SUDO) apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends \
	      $$missing; \
	  fi; \
	else \
	  echo "This machine has no dpkg; Millrace needs: $(PACKAGES)"; \
	fi

clean:
	rm -rf .build
