// PostgreSQL's client library; Postgres is its only Swift owner.
#include <libpq-fe.h>
