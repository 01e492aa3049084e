# The commands of CONTRIBUTING.md by short names; each can be typed without `just`, too.

# List the recipes
default:
    @just --list

# Build the program and the library
build:
    cargo build

# Build what a package holds: slower to build, faster to run
dist:
    cargo build --locked --profile dist

# Run the tests that need no root, engine or package
test *ARGS:
    cargo test {{ ARGS }}

# Run all tests, with real engines, vendor CLIs, servers and a browser (Debian, root)
test-all *ARGS:
    bash tests/run {{ ARGS }}

# Format the code
fmt:
    cargo fmt --all

# Run clippy; warnings are errors
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo clippy --test engines --test real --locked -- -D warnings

# Build the library's documentation; warnings are errors
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

# Check licences, sources and advisories of the dependencies (needs cargo-deny)
deny:
    cargo deny check

# Run every fuzz target (needs a C++ compiler)
fuzz SECONDS="10" *TARGETS:
    bash tests/fuzz/run {{ SECONDS }} {{ TARGETS }}

# Say which pinned versions of vendors' CLIs are behind their registry
vendor-versions:
    bash .ci/vendor-versions

# Measure speed (the login is measured where Docker answers)
bench:
    cargo bench --bench ratios
    cargo bench --bench renewal

# Run everything that must hold before a change is merged (Debian, root)
ci:
    bash .ci/run
