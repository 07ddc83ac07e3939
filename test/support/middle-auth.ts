/**
 * The database of a middle_auth server, as its migrations leave it (to 2.30, with the SCIM columns), with a few people: for
 * tests of the export and the import.
 */
import type { Postgres } from "./postgres.ts";

/** The names and types that its migrations give. */
const MIDDLE_AUTH_SCHEMA = `
create table app (id serial primary key, url varchar(128) not null unique);
create table "user" (
  id serial primary key,
  name varchar(80) not null,
  email varchar(120) not null unique,
  admin boolean not null default '0',
  gdpr_consent boolean not null default '0',
  pi varchar(80) default '',
  created timestamp default now(),
  parent_id integer references "user" (id),
  read_only boolean not null default '0',
  scim_id varchar(36),
  external_id varchar(255)
);
create table user_custom_name (
  id serial primary key,
  user_id integer not null unique references "user" (id),
  name varchar(80) not null,
  active boolean not null default '1',
  created timestamp default now(),
  updated timestamp default now()
);
create table api_key (
  id serial primary key,
  user_id integer not null references "user" (id),
  key varchar(32) not null unique,
  description varchar(120),
  last_used timestamp,
  created timestamp default now(),
  updated timestamp default now()
);
create table tos (
  id serial primary key,
  name varchar(80) not null,
  text text not null,
  created timestamp default now(),
  updated timestamp default now()
);
create table user_tos (
  id serial primary key,
  user_id integer not null references "user" (id),
  tos_id integer not null references tos (id),
  created timestamp default now(),
  updated timestamp default now(),
  unique (user_id, tos_id)
);
create table dataset (
  id serial primary key,
  name varchar(120) not null unique,
  tos_id integer constraint fk_dataset_tos_id references tos (id),
  scim_id varchar(36),
  external_id varchar(255)
);
create table "group" (
  id serial primary key,
  name varchar(120) not null unique,
  scim_id varchar(36),
  external_id varchar(255)
);
create table permission (id serial primary key, name varchar(120) not null unique);
create table dataset_admin (
  id serial primary key,
  user_id integer not null references "user" (id),
  dataset_id integer not null references dataset (id),
  unique (user_id, dataset_id)
);
create table group_dataset_permission (
  id serial primary key,
  group_id integer not null references "group" (id),
  dataset_id integer not null references dataset (id),
  permission_id integer not null references permission (id),
  unique (group_id, dataset_id, permission_id)
);
create table user_group (
  id serial primary key,
  user_id integer not null references "user" (id),
  group_id integer not null references "group" (id),
  admin boolean not null default '0',
  unique (user_id, group_id)
);
create table service_table (
  id serial primary key,
  service_name varchar(120) not null,
  table_name varchar(120) not null,
  dataset_id integer not null references dataset (id),
  unique (service_name, table_name)
);
insert into "group" (name) values ('default');
insert into permission (name) values ('view'), ('edit');
`;

/** Tokens as their owners have them. */
export const TOKENS = {
  ada: "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
  grace: "feedfacecafebeef0123456789abcdef",
  pychunkedgraph: "1111222233334444aaaabbbbccccdddd",
  viewer: "99998888777766665555444433332222",
} as const;

/** Ada (3) proofreads, Grace (7) is a superadmin, two service accounts, one of them read-only. */
const MIDDLE_AUTH_ROWS = `
insert into app (url) values ('https://viewer.example.org/'), ('https://pcg.example.org'), ('viewer.example.org');
insert into "user" (id, name, email, admin, created, parent_id, read_only) values
  (3, 'Ada Lovelace', 'ada@example.org', false, '2023-04-05 06:07:08.123456', null, false),
  (7, 'Grace Hopper', 'Grace@example.org', true, '2023-04-06', null, false),
  (12, 'pychunkedgraph', 'pychunkedgraph@serviceaccount', false, '2023-05-01', 7, false),
  (13, 'viewer', 'viewer@serviceaccount', false, '2023-05-02', 3, true);
select setval('user_id_seq', 13);
insert into user_custom_name (user_id, name, active) values (3, 'ada', true), (7, 'old name', false);
insert into tos (name, text) values ('flywire', 'Be kind.'), ('microns', E'# Terms\\n\\nCite the data. It costs $NOTHING.\\n');
insert into dataset (name, tos_id) values ('minnie65', 2), ('fanc', null);
insert into permission (name) values ('admin_view');
insert into "group" (name) values ('proofreaders');
insert into user_group (user_id, group_id, admin) values
  (3, 1, false), (7, 1, false), (12, 1, false), (3, 2, false), (7, 2, true), (13, 2, true);
insert into group_dataset_permission (group_id, dataset_id, permission_id) values (1, 1, 1), (2, 1, 1), (2, 1, 2), (2, 2, 3);
insert into dataset_admin (user_id, dataset_id) values (7, 1);
insert into service_table (service_name, table_name, dataset_id) values
  ('datastack', 'minnie65_public', 1), ('pychunkedgraph', 'minnie3_v1', 1), ('datastack', 'fanc', 2);
insert into user_tos (user_id, tos_id, created) values (3, 2, '2023-04-07'), (3, 1, null);
insert into api_key (user_id, key, description, last_used, created) values
  (3, '${TOKENS.ada}', 'laptop', '2024-01-02 03:04:05', '2023-04-08'),
  (7, '${TOKENS.grace}', '', null, null),
  (12, '${TOKENS.pychunkedgraph}', null, null, '2023-05-01'),
  (13, '${TOKENS.viewer}', null, null, '2023-05-02');
`;

/** The URI of a new database of a middle_auth server. */
export async function middleAuthDatabase(server: Postgres): Promise<string> {
  const uri = await server.createDatabase();
  await server.query(uri, MIDDLE_AUTH_SCHEMA + MIDDLE_AUTH_ROWS);
  return uri;
}
