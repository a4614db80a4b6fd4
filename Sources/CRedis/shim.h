// hiredis, Redis' client library; Caches is its only Swift owner.
#include <hiredis/hiredis.h>
