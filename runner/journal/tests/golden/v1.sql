PRAGMA application_id = 1466199155;
PRAGMA user_version = 1;
CREATE TABLE source (
    digest TEXT PRIMARY KEY NOT NULL,
    text TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO source VALUES ('sha256:8a07f15eb8e7d800375afef0eb3938a2a240508b2993de2c9c6be480a0bb7958', '[pipeline]
name = "storefront"
');
CREATE TABLE run (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    pipeline TEXT NOT NULL,
    file TEXT NOT NULL,
    source TEXT NOT NULL REFERENCES source (digest),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    status INTEGER,
    exit_code INTEGER,
    failed_step TEXT,
    sum INTEGER NOT NULL,
    pid INTEGER,
    seen_at INTEGER NOT NULL
);
INSERT INTO run VALUES (1, 'g01denrvn0', 'storefront', 'pipeline.toml', 'sha256:8a07f15eb8e7d800375afef0eb3938a2a240508b2993de2c9c6be480a0bb7958', 1700000000000001, 1700000000000019, 3, 130, 'image', 3092688154, NULL, 1700000000000019);
CREATE TABLE entry (
    place INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    stage INTEGER,
    step INTEGER,
    attempt INTEGER,
    ordinal INTEGER,
    status INTEGER,
    name TEXT,
    args TEXT,
    answer TEXT,
    body TEXT,
    took INTEGER,
    sum INTEGER NOT NULL
);
INSERT INTO entry VALUES (1099511627777, 1700000000000001, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"run":"g01denrvn0","pipeline":"storefront","file":"pipeline.toml","workspace":"/work","facts":{"git.short":"0a1b2c3"},"plugins":[{"source":"builtin:image","digest":"sha256:00"}],"versions":{"gate":"0.1.0"},"stages":1,"steps":2,"flags":{"keep":true,"keep-going":false,"jobs":null,"offline":null}}', NULL, 2699197489);
INSERT INTO entry VALUES (1099511627778, 1700000000000002, 2, 0, NULL, NULL, NULL, NULL, 'build', NULL, NULL, NULL, NULL, 2480458202);
INSERT INTO entry VALUES (1099511627779, 1700000000000003, 4, 0, 1, 1, NULL, NULL, 'image', NULL, NULL, NULL, NULL, 2192956236);
INSERT INTO entry VALUES (1099511627780, 1700000000000004, 6, NULL, 1, 1, 0, NULL, 'docker.push', '{"tag": "localhost:5000/a:1"}', NULL, '{"grant":"grants.docker.push[0]"}', NULL, 1134180666);
INSERT INTO entry VALUES (1099511627781, 1700000000000005, 7, NULL, 1, 1, 0, NULL, NULL, NULL, '{"ok":{"digest":"sha256:00"}}', NULL, NULL, 1791366376);
INSERT INTO entry VALUES (1099511627782, 1700000000000006, 8, NULL, 1, 1, 1, NULL, 'clock.now', '{}', '{"ok":17}', NULL, 3, 1504562810);
INSERT INTO entry VALUES (1099511627783, 1700000000000007, 15, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"versions":{"gate":"1"},"plugins":[{"source":"builtin:image","digest":"sha256:00"}],"restarted":[1]}', NULL, 2776933642);
INSERT INTO entry VALUES (1099511627784, 1700000000000008, 16, NULL, 1, 1, NULL, NULL, NULL, NULL, NULL, '{"env":{"LANG":"C"},"folders":[{"folder":"src","digest":"sha256:01","files":2,"bytes":300,"kept":true}]}', NULL, 3740506421);
INSERT INTO entry VALUES (1099511627785, 1700000000000009, 17, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, '{"answer":"repeat","by":"somebody"}', NULL, 1460423109);
INSERT INTO entry VALUES (1099511627786, 1700000000000010, 18, NULL, NULL, NULL, NULL, NULL, 'registry', NULL, NULL, '{"check":"5e1f"}', NULL, 2373414835);
INSERT INTO entry VALUES (1099511627787, 1700000000000011, 9, NULL, 1, 1, NULL, NULL, NULL, NULL, NULL, '{"stream":"stdout","offset":0,"len":5}', NULL, 2902542730);
INSERT INTO entry VALUES (1099511627788, 1700000000000012, 10, NULL, 1, 1, NULL, NULL, NULL, NULL, NULL, '{"limit":5}', NULL, 4181156717);
INSERT INTO entry VALUES (1099511627789, 1700000000000013, 11, NULL, 1, 1, 2, NULL, 'p99', NULL, NULL, '{"value":"12.5","unit":"ms","labels":{"route":"/"}}', NULL, 146864525);
INSERT INTO entry VALUES (1099511627790, 1700000000000014, 12, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, '{"message":"left behind: ''a''"}', NULL, 2358330724);
INSERT INTO entry VALUES (1099511627791, 1700000000000015, 13, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"by":"SIGINT"}', NULL, 525670302);
INSERT INTO entry VALUES (1099511627792, 1700000000000016, 5, NULL, 1, 1, NULL, 1, NULL, NULL, NULL, '{"failure":{"kind":"denied","message":"not granted","hint":"add it to `grants`"},"outputs":{"ref":["a",1.5,null]}}', NULL, 1783804596);
INSERT INTO entry VALUES (1099511627793, 1700000000000017, 5, NULL, 4294967295, 1, NULL, 0, NULL, NULL, NULL, NULL, NULL, 122400887);
INSERT INTO entry VALUES (1099511627794, 1700000000000018, 3, 0, NULL, NULL, NULL, 1, 'build', NULL, NULL, NULL, NULL, 1033912471);
INSERT INTO entry VALUES (1099511627795, 1700000000000019, 3, 1, NULL, NULL, NULL, 2, 'late', NULL, NULL, NULL, NULL, 1106978708);
INSERT INTO entry VALUES (1099511627796, 1700000000000020, 14, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, '{"exit-code":130}', NULL, 3588413438);
