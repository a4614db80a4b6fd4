# The two commands for a fresh machine are `make demo` and `make test`.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
RELEASE := -c release --static-swift-stdlib
ROUNDS ?= 5

.PHONY: help demo test check build bench man install clean

help:
	@echo 'make demo              build a release, copy and verify a media tree, export, move and repair a server'
	@echo 'make test              install what tests need, run every check and test'
	@echo 'make build             build the release binary (.build/release/mediasync)'
	@echo 'make bench             compare with cp, rsync, rclone, tar, psql, pg_restore, curl, librsync (hours)'
	@echo 'make man               manual page and shell completions, into .build/packaging'
	@echo 'make install PREFIX=   install binary, manual page and completions'

demo:
	scripts/bootstrap --demo
	$(SWIFT) build $(RELEASE) --product mediasync
	scripts/demo .build/release/mediasync

test:
	scripts/bootstrap --test
	scripts/check
	$(SWIFT) build --build-tests
	scripts/test

check:
	scripts/bootstrap --test
	scripts/check

build:
	scripts/bootstrap
	$(SWIFT) build $(RELEASE) --product mediasync

bench: build
	scripts/bootstrap --bench
	scripts/bench copy --rounds $(ROUNDS)
	scripts/bench restore --rounds $(ROUNDS)
	scripts/bench cleanup --rounds $(ROUNDS)
	scripts/bench fetch --rounds $(ROUNDS)
	scripts/bench images --rounds $(ROUNDS)
	scripts/bench delta --rounds $(ROUNDS)
	scripts/bench refresh --rounds $(ROUNDS)
	scripts/bench archive --rounds $(ROUNDS)
	scripts/bench ssh --rounds $(ROUNDS)

man: build
	scripts/manual .build/packaging

install: man
	install -D -m 755 .build/release/mediasync $(DESTDIR)$(PREFIX)/bin/mediasync
	install -D -m 644 .build/packaging/mediasync.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mediasync
	install -D -m 644 .build/packaging/_mediasync $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mediasync
	install -D -m 644 .build/packaging/mediasync.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mediasync.fish
	for page in .build/packaging/*.1; do install -D -m 644 "$$page" "$(DESTDIR)$(PREFIX)/share/man/man1/$${page##*/}" || exit 1; done

clean:
	$(SWIFT) package clean
	rm -rf .build/packaging
