//! Compose files as people write them, and what is said of those that do not fit.

use std::collections::BTreeSet;

use windlass_plugin::docker::{Healthcheck, Mount, Port, Restart};
use windlass_plugin::{NamedValue, Pair, Value};

use super::*;
use crate::stack::{Condition, Need};

fn variables() -> Variables {
    [("TAG", Value::from("1.2")), ("PASSWORD", Value::Secret("db-password".to_owned()))]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

fn read(text: &str) -> Result<Stack, String> {
    let source = Source { name: "compose.yaml", folder: "deploy" };
    super::read(text, &source, &variables()).map_err(|failure| failure.to_string())
}

#[track_caller]
fn refused(text: &str, told: &str) {
    let error = read(text).expect_err(text);
    assert!(error.contains(told), "{text}\n{error}");
}

const SHOP: &str = r#"
name: shop
version: "3.9"
x-common: &common
  restart: unless-stopped
  labels: { team: shop }

services:
  web:
    <<: *common
    image: localhost:5000/web:${TAG}
    command: serve --port 80 "a b"
    entrypoint: [/bin/web]
    environment:
      - LEVEL=${LEVEL:-info}
      - EMPTY=
    ports: ["8080:80", 9090, { target: 53, published: "53", protocol: udp, host_ip: 0.0.0.0 }]
    volumes:
      - ./config:/etc/web:ro
      - { type: bind, source: ../shared, target: /shared }
    networks:
      front:
      back: { aliases: [www, site] }
    depends_on:
      db: { condition: service_healthy }
      cache: { condition: service_started }
    user: "1000:1000"
    working_dir: /srv
    mem_limit: 256m
    cpus: 0.5
    read_only: true
  db:
    image: postgres:17
    environment: { PASSWORD: "${PASSWORD}", LEVEL: 3, ON: true }
    volumes: ["data:/var/lib/data"]
    networks: [back]
    restart: on-failure:5
    healthcheck:
      test: pg_isready -U postgres
      interval: 2s
      timeout: 1s
      retries: 5
      start_period: 1m30s
  cache:
    image: cache
    depends_on: [db]
    labels: [a=b, "c=d=e"]
    restart: no

networks:
  front:
  back: { internal: true, driver: bridge }
volumes:
  data:
  unused: {}
"#;

#[test]
fn the_common_subset() {
    let stack = read(SHOP).unwrap();
    let names: Vec<_> = stack.services.iter().map(|service| &*service.name).collect();
    assert_eq!(names, ["db", "cache", "web"]);
    let networks = [("back", true), ("default", false), ("front", false)].map(|(name, is)| (name.to_owned(), is));
    assert_eq!(stack.networks, networks.into());
    assert_eq!(stack.volumes, BTreeSet::from(["data".to_owned()]));

    let web = &stack.services[2];
    let need = |service: &str, condition| Need { service: service.to_owned(), condition };
    assert_eq!(web.needs, [need("db", Condition::Healthy), need("cache", Condition::Started)]);
    let spec = &web.spec;
    assert_eq!(spec.image, "localhost:5000/web:1.2");
    assert_eq!(spec.command.as_deref(), Some(&["serve", "--port", "80", "a b"].map(str::to_owned)[..]));
    assert_eq!(spec.entrypoint.as_deref(), Some(&["/bin/web".to_owned()][..]));
    assert_eq!(spec.env, [NamedValue::new("LEVEL", "info"), NamedValue::new("EMPTY", "")]);
    let udp = Port {
        protocol: windlass_plugin::docker::Protocol::Udp,
        address: Some("0.0.0.0".to_owned()),
        ..Port::tcp(53).on(53)
    };
    assert_eq!(spec.ports, [Port::tcp(80).on(8080), Port::tcp(9090), udp]);
    assert_eq!(
        spec.mounts,
        [Mount::folder("deploy/config", "/etc/web"), Mount::folder("shared", "/shared").writable()]
    );
    assert_eq!(
        (&*spec.networks, &*spec.aliases),
        (&["front", "back"].map(str::to_owned)[..], &["www", "site"].map(str::to_owned)[..])
    );
    assert_eq!((spec.user.as_deref(), spec.working_directory.as_deref()), (Some("1000:1000"), Some("/srv")));
    assert_eq!((spec.memory, spec.cpu_millis, spec.read_only_root), (Some(256 << 20), Some(500), true));
    assert_eq!((&spec.restart, &*spec.labels), (&Restart::UnlessStopped, &[Pair::new("team", "shop")][..]));

    let db = &stack.services[0].spec;
    let secret = NamedValue::new("PASSWORD", Value::Secret("db-password".to_owned()));
    assert_eq!(db.env, [secret, NamedValue::new("LEVEL", "3"), NamedValue::new("ON", "true")]);
    assert_eq!(db.mounts, [Mount::volume("data", "/var/lib/data").writable()]);
    assert_eq!(db.restart, Restart::OnFailure(5));
    let check = Healthcheck {
        command: ["/bin/sh", "-c", "pg_isready -U postgres"].map(str::to_owned).into(),
        interval_ms: 2_000,
        timeout_ms: 1_000,
        retries: 5,
        start_period_ms: 90_000,
    };
    assert_eq!(db.healthcheck, Some(check));

    let cache = &stack.services[1];
    assert_eq!(cache.spec.networks, ["default"]);
    assert_eq!(cache.spec.labels, [Pair::new("a", "b"), Pair::new("c", "d=e")]);
    assert_eq!((&cache.spec.restart, &*cache.needs), (&Restart::No, &[need("db", Condition::Started)][..]));
}

#[test]
fn what_is_not_supported_is_refused_by_name_with_what_to_do() {
    refused(
        "services:\n  web:\n    build: .\n",
        "compose.yaml:3: services.web.build: not supported; build the image in a step before, with `builtin:image`",
    );
    refused(
        "services: { web: { image: i, privileged: true } }",
        "services.web.privileged: not supported; a container of a pipeline gets no rights",
    );
    refused(
        "services: { web: { image: i, imagee: j } }",
        "services.web.imagee: not supported, take it out; what is supported here: image, command,",
    );
    refused(
        "services: { web: { image: i } }\nsecrets: {}",
        "compose.yaml:2: secrets: not supported; give a service a secret by",
    );
    refused(
        "services: { web: { image: i, networks: { default: { ipv4_address: 1.2.3.4 } } } }",
        "services.web.networks.default.ipv4_address: not supported",
    );
    refused(
        "services: { web: { image: i } }\nnetworks: { a: { external: true } }",
        "networks.a.external: not supported; take it out: one of this name",
    );
    refused(
        "services: { web: { image: i } }\nnetworks: { a: { driver: overlay } }",
        "networks.a.driver: `overlay` is not supported",
    );
    refused(
        "services: { web: { image: i } }\nvolumes: { a: { driver_opts: {} } }",
        "volumes.a.driver_opts: not supported",
    );
    refused(
        "services: { web: { image: i, healthcheck: { disable: true } } }",
        "healthcheck.disable: not supported; the check of an image",
    );
    refused(
        "services: { web: { image: i, depends_on: { db: { condition: service_completed_successfully } } } }",
        "services.web.depends_on.db.condition: `service_completed_successfully` is not supported; `service_started`",
    );
    refused(
        "services: { web: { image: i, volumes: [{ type: tmpfs, source: x, target: /x }] } }",
        "services.web.volumes[0]: the type `tmpfs` is not supported",
    );
}

#[test]
fn mistakes_are_told_with_their_places() {
    refused("services: { web: { command: x } }", "services.web.image: every service needs an `image`");
    refused(
        "services: { web: { image: i, ports: ['3000-3005:80'] } }",
        "services.web.ports[0]: `3000-3005:80` is not a port like",
    );
    refused(
        "services: { web: { image: i, ports: [{ published: 80 }] } }",
        "services.web.ports[0]: this needs a `target`",
    );
    refused("services: { web: { image: i, mem_limit: lots } }", "services.web.mem_limit: `lots` is not a size");
    refused("services: { web: { image: i, cpus: 0 } }", "services.web.cpus: `cpu = 0` is not a number of processors");
    refused(
        "services: { web: { image: i, read_only: maybe } }",
        "services.web.read_only: `maybe` is not `true` or `false`",
    );
    refused("services: { web: { image: i, restart: often } }", "services.web.restart: `often` is not one of");
    refused("services: { web: { image: i, command: \"a 'b\" } }", "services.web.command: `a 'b` is not a command");
    refused("services: { web: { image: [i] } }", "services.web.image: this is a list, but has to be a text");
    refused("services: { web: { image: i, environment: [HOME] } }", "services.web.environment[0]: `HOME` has no value");
    refused("services: { web: { image: i, environment: { A: } } }", "services.web.environment.A: `A` has no value");
    refused(
        "services: { web: { image: i, environment: [A=1, A=2] } }",
        "services.web.environment: `A` stands here twice",
    );
    refused(
        "services: { web: { image: i, volumes: ['data:/data'] } }",
        "services.web.volumes[0]: there is no volume `data`",
    );
    refused("services: { web: { image: i, volumes: ['/data'] } }", "services.web.volumes[0]: `/data` has no name");
    refused("services: { web: { image: i, volumes: ['../../etc:/etc'] } }", "leads out of the pipeline's folder");
    refused("services: { web: { image: i, volumes: ['/etc:/etc'] } }", "`/etc` is a path of the machine");
    refused("services: { web: { image: i, volumes: ['./a:/a:z'] } }", "`z` is not supported");
    refused("services: { web: { image: i, networks: [back] } }", "services.web.networks: there is no network `back`");
    refused(
        "services: { web: { image: i, healthcheck: { interval: 3 } } }",
        "services.web.healthcheck.interval: `3` is not a length of time",
    );
    refused(
        "services: { web: { image: i, healthcheck: { interval: 3s } } }",
        "services.web.healthcheck: this needs a `test`",
    );
    refused(
        "services: { web: { image: i, healthcheck: { test: [curl] } } }",
        "services.web.healthcheck.test: a test is",
    );
    refused("services: { web: { image: '${NONE}' } }", "services.web.image: the variable `NONE` is not set");
    refused(
        "services: { web: { image: '${PASSWORD}' } }",
        "services.web.image: the secret `db-password` can only be the value of an environment variable",
    );
    refused(
        "services: { web: { image: i, labels: { a: '${PASSWORD}' } } }",
        "services.web.labels.a: the secret `db-password` cannot be a label",
    );
    refused(
        "services: { web: { image: i, depends_on: [db] } }",
        "compose.yaml: services.web.depends_on: there is no service `db`",
    );
    refused(
        "services: { a: { image: i, depends_on: [b] }, b: { image: i, depends_on: [a] } }",
        "compose.yaml: services.a.depends_on: the services need each other in a circle: a -> b -> a",
    );
    refused("services:\n", "there is no service in this file");
    refused("- services", "a compose file is a mapping, and this is a list");
}

#[test]
fn all_mistakes_at_once_in_the_order_of_their_lines() {
    let error =
        read("networks: { a: { name: b } }\nservices:\n  web:\n    build: .\n    init: true\n  db: {}\n").unwrap_err();
    let lines: Vec<_> = error.lines().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect();
    assert_eq!(
        lines,
        [
            "compose.yaml has 4 mistakes:",
            "  compose.yaml:1: networks.a.name",
            "  compose.yaml:4: services.web.build",
            "  compose.yaml:5: services.web.init",
            "  compose.yaml:6: services.db.image",
        ]
    );
}
