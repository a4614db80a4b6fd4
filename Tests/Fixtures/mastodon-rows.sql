-- Fills a Mastodon database (4.3 or later) with rows that are the same on every machine. Run it with psql:
--   psql -v accounts=100 -v statuses=1000 -f mastodon-rows.sql
-- There are half as many attachments as statuses, one favourite a status, and five follows an account. Texts hold what
-- makes a dump hard to read: tabs, line ends, backslashes, quotes, text that looks like the end of the rows or like SQL.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET TimeZone = 'UTC';

-- Snowflakes of August 2026: milliseconds in the upper bits.
CREATE FUNCTION pg_temp.snowflake(number bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT ((1785542400000 + number * 37) << 16) | ((number * 40503) & 65535) $$;
CREATE FUNCTION pg_temp.words(number bigint, many int) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT string_agg(substr(md5((number * 31 + i)::text), 1, 3 + ((number + i) % 7)::int), ' ')
          FROM generate_series(1, many) AS i $$;
CREATE FUNCTION pg_temp.moment(number bigint) RETURNS timestamp LANGUAGE sql IMMUTABLE
    AS $$ SELECT timestamp '2026-08-01' + number * interval '0.037 seconds' $$;

INSERT INTO accounts (id, username, domain, display_name, note, uri, url, public_key, avatar_file_name,
    avatar_remote_url, header_remote_url, inbox_url, outbox_url, followers_url, following_url, fields, created_at, updated_at)
SELECT pg_temp.snowflake(n), 'user' || n, CASE WHEN n % 10 > 0 THEN 'host' || n % 97 || '.example' END,
    CASE n % 5 WHEN 0 THEN E'tab\there' WHEN 1 THEN E'back\\slash' WHEN 2 THEN 'Ünïcødé 🐘' ELSE 'Name ' || n END,
    CASE n % 4 WHEN 0 THEN E'line\nline\r\n\\.\n' WHEN 1 THEN '' ELSE pg_temp.words(n, 20) END,
    'https://host' || n % 97 || '.example/users/user' || n, 'https://host' || n % 97 || '.example/@user' || n,
    md5(n::text) || md5((n + 1)::text), md5(n::text) || '.png', 'https://host' || n % 97 || '.example/a/' || n || '.png',
    '', 'https://host/inbox/' || n, 'https://host/outbox/' || n, 'https://host/followers/' || n,
    'https://host/following/' || n, '[]', pg_temp.moment(n), pg_temp.moment(n)
FROM generate_series(1, :accounts) AS n;

INSERT INTO conversations (id, uri, created_at, updated_at)
SELECT n, 'tag:host.example,2026:conversation:' || n, pg_temp.moment(n), pg_temp.moment(n)
FROM generate_series(1, :statuses / 10) AS n;

INSERT INTO statuses (id, account_id, conversation_id, text, spoiler_text, uri, url, language, local, visibility, reply,
    in_reply_to_id, in_reply_to_account_id, created_at, updated_at)
SELECT pg_temp.snowflake(n), pg_temp.snowflake(1 + n % :accounts), nullif(1 + n % (1 + :statuses / 10), 1 + :statuses / 10),
    CASE n % 50 WHEN 0 THEN E'COPY x FROM stdin;\n\\.\n\\! touch x\n' WHEN 1 THEN E'''; DROP TABLE "x"; -- \\N'
        ELSE '<p>' || pg_temp.words(n, 12 + (n % 20)::int) || '</p>' END,
    CASE WHEN n % 30 = 0 THEN 'cw' ELSE '' END, 'https://host' || n % 97 || '.example/statuses/' || n,
    'https://host' || n % 97 || '.example/@user/' || n, CASE WHEN n % 3 > 0 THEN 'en' END, n % 10 = 0, (n % 4)::int,
    n % 6 = 0 AND n > 1, CASE WHEN n % 6 = 0 AND n > 1 THEN pg_temp.snowflake(n - 1) END,
    CASE WHEN n % 6 = 0 AND n > 1 THEN pg_temp.snowflake(1 + (n - 1) % :accounts) END,
    pg_temp.moment(n), pg_temp.moment(n)
FROM generate_series(1, :statuses) AS n;

INSERT INTO media_attachments (id, account_id, status_id, type, file_file_name, file_content_type, file_file_size,
    file_meta, blurhash, remote_url, description, file_updated_at, created_at, updated_at)
SELECT pg_temp.snowflake(n), pg_temp.snowflake(1 + (2 * n) % :accounts), pg_temp.snowflake(2 * n), (n % 3)::int,
    md5(n::text) || '.jpg', 'image/jpeg', (n * 7919 % 4000000)::int,
    json_build_object('original', json_build_object('width', 1200 + n % 800, 'height', 800, 'aspect', 1.5)),
    substr(md5(n::text), 1, 24), CASE WHEN n % 10 > 0 THEN 'https://host' || n % 97 || '.example/m/' || n ELSE '' END,
    CASE WHEN n % 8 = 0 THEN pg_temp.words(n, 15) END, pg_temp.moment(n), pg_temp.moment(n), pg_temp.moment(n)
FROM generate_series(1, :statuses / 2) AS n;

INSERT INTO favourites (account_id, status_id, created_at, updated_at)
SELECT pg_temp.snowflake(1 + (n * 7 + 3) % :accounts), pg_temp.snowflake(n), pg_temp.moment(n), pg_temp.moment(n)
FROM generate_series(1, :statuses) AS n;

INSERT INTO follows (account_id, target_account_id, created_at, updated_at)
SELECT DISTINCT ON (1, 2) pg_temp.snowflake(n), pg_temp.snowflake(1 + (n * 13 + k * k * 29) % :accounts),
    pg_temp.moment(n), pg_temp.moment(n)
FROM generate_series(1, :accounts) AS n, generate_series(1, 5) AS k ORDER BY 1, 2;

INSERT INTO status_stats (status_id, favourites_count, created_at, updated_at)
SELECT pg_temp.snowflake(n), n % 100, pg_temp.moment(n), pg_temp.moment(n)
FROM generate_series(1, :statuses, 4) AS n;

INSERT INTO users (account_id, email, encrypted_password, sign_up_ip, created_at, updated_at)
SELECT pg_temp.snowflake(n), 'user' || n || '@example.org', md5(n::text), '192.0.2.7', pg_temp.moment(n), pg_temp.moment(n)
FROM generate_series(10, :accounts, 10) AS n;

REFRESH MATERIALIZED VIEW instances;
