// PostgreSQL's client library; Postgres is its only Swift owner.
#include <libpq-fe.h>

// Character constants, which Swift does not see as macros.
static const int mds_diag_sqlstate = PG_DIAG_SQLSTATE;
static const int mds_diag_message = PG_DIAG_MESSAGE_PRIMARY;
static const int mds_diag_detail = PG_DIAG_MESSAGE_DETAIL;
static const int mds_diag_hint = PG_DIAG_MESSAGE_HINT;
static const int mds_diag_context = PG_DIAG_CONTEXT;
