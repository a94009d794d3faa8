"""Kafka in the four profiles, and the ZooKeeper of one of them."""
import base64
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import uuid

from . import credentials, parts, process
from .process import Server, poll_until, port_answers
from .settings import HOST, StackError, private_folder, write_private

# For a small machine (measured): half the CPU until ready, at no loss in a broker that is seldom busy.
JVM = ("-Xms64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
USERS = ("admin", "producer", "sink")
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")

# Who may do what in profile secure; `admin` may do everything.
RIGHTS = (
    ("producer", ("Write", "Create", "DescribeConfigs"), ("--topic", "gpu-metrics")),
    ("sink", ("Read", "DescribeConfigs"), ("--topic", "gpu-metrics")),
    ("sink", ("Read", "Write", "Create"), ("--topic", "gpu-metrics-dead")),
    ("sink", ("Read",), ("--group", "gpulse-", "--resource-pattern-type", "prefixed")),
)

LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required"

TOOLS = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "configs": "kafka.admin.ConfigCommand",
    "acls": "org.apache.kafka.tools.AclCommand",
    "produce": "org.apache.kafka.tools.ConsoleProducer",
    "consume": "org.apache.kafka.tools.consumer.ConsoleConsumer",
}

COMMON = """\
# Made by deploy/stack at every start.
num.partitions=1
# A topic is made on purpose, with the number of partitions that it will keep.
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# The default of 128 MiB is most of what a small broker would use.
log.cleaner.dedupe.buffer.size=4194304
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
"""

LOG4J2 = """\
status=warn
appender.c.type=Console
appender.c.name=C
appender.c.target=SYSTEM_ERR
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=LEVEL
rootLogger.appenderRef.c.ref=C
"""

LOG4J = """\
log4j.rootLogger=INFO, C
log4j.appender.C=org.apache.log4j.ConsoleAppender
log4j.appender.C.layout=org.apache.log4j.PatternLayout
log4j.appender.C.layout.ConversionPattern=[%d] %p %m (%c)%n
"""


def servers(settings):
    if settings.profile == "zookeeper":
        return [_zookeeper(settings), _broker(settings, 1, 1)]
    nodes = 3 if settings.profile == "kraft3" else 1
    if len(settings["kafka"]["ports"]) < nodes or len(settings["kafka"]["controller_ports"]) < nodes:
        raise StackError(f"{settings.file}: profile kraft3 needs three ports and three controller_ports in [kafka]")
    return [_broker(settings, number, nodes) for number in range(1, nodes + 1)]


def bootstrap(settings):
    nodes = 3 if settings.profile == "kraft3" else 1
    return ",".join(f"{HOST}:{port}" for port in settings["kafka"]["ports"][:nodes])


def client_file(settings, user):
    """The settings with which Kafka's own tools speak as that user."""
    return settings.secrets / f"kafka-{user}.properties"


# --- a broker ---------------------------------------------------------------------------------------

def _broker(settings, number, nodes):
    name = "kafka" if nodes == 1 else f"kafka-{number}"
    data = settings.data(name, by_profile=True)
    port = settings["kafka"]["ports"][number - 1]
    controller = settings["kafka"]["controller_ports"][number - 1]
    zookeeper = settings.profile == "zookeeper"
    server = Server(
        name=name, service="kafka", data=data, after=("zookeeper",) if zookeeper else (),
        ports=(port,) if zookeeper else (port, controller),
        command=lambda: _java(settings, "kafka3" if zookeeper else "kafka", settings["kafka"]["heap_mb"])
        + ["kafka.Kafka", str(settings.folder / "conf" / f"{name}.properties")],
        ready=lambda: port_answers(port))  # opens within milliseconds of "Kafka Server started"

    def prepare():
        if zookeeper:
            text = COMMON + _single() + _zookeeper_mode(settings)
            _await_old_session(settings)
        else:
            if settings.secure:
                _write_client_files(settings, fresh=not data.is_dir())
            text = COMMON + _kraft(settings, number, nodes)
        write = lambda log_dirs: settings.write_conf(f"{name}.properties", text + f"log.dirs={log_dirs}\n")
        if not zookeeper and not data.is_dir():
            _format(settings, write(data.with_name(f".{name}.new")), data, nodes)
        write(data)

    server.prepare = prepare
    if settings.secure:
        server.settle = lambda: _grant_rights(settings)
    if zookeeper:
        server.settle = lambda: _await_topics(settings, server)
    return server


def _java(settings, part, heap_mb, level="info"):
    """The command line up to the class. The class path is sorted, since its order decides in conflicts."""
    program = shutil.which(str(pathlib.Path(os.environ.get("JAVA_HOME", "/nonexistent")) / "bin" / "java")) \
        or shutil.which("java")
    if not program:
        raise StackError("there is no Java: run `make stack`, which installs it")
    jars = ":".join(str(jar) for jar in sorted(parts.find(part).glob("*.jar")))
    if part == "kafka3":
        log = [f"-Dlog4j.configuration=file:{settings.write_conf('log4j.properties', LOG4J)}"]
    else:
        conf = settings.write_conf(f"log4j2-{level}.properties", LOG4J2.replace("LEVEL", level))
        log = ["-Dlog4j.shutdownHookEnabled=false",  # else the last lines are lost
               f"-Dlog4j2.configurationFile={conf}"]
    return [program, *JVM, f"-Xmx{max(64, heap_mb)}m", *log, "-cp", jars]


def _single():
    return "offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n" \
           "transaction.state.log.min.isr=1\n"


def _replicated():
    return "default.replication.factor=3\nmin.insync.replicas=2\noffsets.topic.replication.factor=3\n" \
           "transaction.state.log.replication.factor=3\ntransaction.state.log.min.isr=2\n"


def _zookeeper_mode(settings):
    address = f"PLAINTEXT://{HOST}:{settings['kafka']['ports'][0]}"
    return f"broker.id=1\nzookeeper.connect={HOST}:{settings['zookeeper']['port']}\n" \
           f"zookeeper.session.timeout.ms=6000\nlisteners={address}\nadvertised.listeners={address}\n"


def _kraft(settings, number, nodes):
    ports, controllers = settings["kafka"]["ports"], settings["kafka"]["controller_ports"]
    protocol = "SASL_SSL" if settings.secure else "PLAINTEXT"
    client = f"{protocol}://{HOST}:{ports[number - 1]}"
    controller = f"CONTROLLER://{HOST}:{controllers[number - 1]}"
    quorum = ",".join(f"{HOST}:{port}" for port in controllers[:nodes])
    # How long a killed node is still believed in; one node alone waits for that before it starts again.
    session = 6000 if nodes == 3 else 3000
    text = f"""\
process.roles=broker,controller
node.id={number}
listeners={client},{controller}
advertised.listeners={client},{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:{'SSL' if settings.secure else 'PLAINTEXT'},{protocol}:{protocol}
inter.broker.listener.name={protocol}
controller.quorum.bootstrap.servers={quorum}
broker.session.timeout.ms={session}
broker.heartbeat.interval.ms=500
"""
    return text + (_replicated() if nodes == 3 else _single()) + (_security(settings) if settings.secure else "")


# --- formatting -------------------------------------------------------------------------------------

def _format(settings, conf, data, nodes):
    """Formats into the hidden folder that conf names, which takes its name when it is whole."""
    hidden = data.with_name(f".{data.name}.new")
    shutil.rmtree(hidden, ignore_errors=True)
    arguments = ["format", "--config", str(conf), "--cluster-id", _kept_id(settings, "cluster")]
    if nodes == 1:
        arguments.append("--standalone")
    else:
        voters = [f"{n}@{HOST}:{settings['kafka']['controller_ports'][n - 1]}:{_kept_id(settings, f'node-{n}')}"
                  for n in range(1, nodes + 1)]
        arguments += ["--initial-controllers", ",".join(voters)]
    if settings.secure:
        for user in USERS:
            password = credentials.secret(settings, f"kafka-{user}-password")
            for mechanism in MECHANISMS:
                arguments += ["--add-scram", f"{mechanism}=[name={user},password={password}]"]
    # By a file, since a command line is everybody's to read.
    file = settings.write_conf("format.arguments", "\n".join(arguments) + "\n")
    try:
        run_java(settings, ["kafka.tools.StorageTool", f"@{file}"], "format its data folder")
    finally:
        file.unlink()
    hidden.rename(data)


def _kept_id(settings, name):
    """A random id of Kafka's kind, the same for ever: all three nodes must be formatted with the same."""
    file = settings.data(f"id-{name}", by_profile=True)
    if not file.exists():
        number = uuid.uuid4().bytes
        while number[0] >> 2 == 62:  # that is '-' in this alphabet, and Kafka would take it for an option
            number = uuid.uuid4().bytes
        write_private(file, base64.urlsafe_b64encode(number).decode().rstrip("=") + "\n")
    return file.read_text().strip()


# --- profile secure ---------------------------------------------------------------------------------

def _security(settings):
    tls = credentials.certificates(settings)
    password = credentials.secret(settings, "kafka-admin-password")
    return f"""\
ssl.keystore.type=PEM
ssl.keystore.location={tls}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={tls}/ca.pem
listener.name.controller.ssl.client.auth=required
listener.name.controller.ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT
sasl.enabled.mechanisms={','.join(MECHANISMS)}
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={LOGIN};
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={LOGIN} username="admin" password="{password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
# localhost is the name in the broker's own certificate, by which it speaks to its controller.
super.users=User:admin;User:localhost
"""


def _write_client_files(settings, fresh):
    for user in USERS:
        if not fresh and not (settings.secrets / f"kafka-{user}-password").exists():
            raise StackError(f"kafka knows the user {user}, but {settings.secrets}/kafka-{user}-password is missing.\n"
                             "  Put the file back, or bring both back from a backup: `deploy/stack restore kafka`.")
        password = credentials.secret(settings, f"kafka-{user}-password")
        write_private(client_file(settings, user), f"""\
security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location={settings.tls}/ca.pem
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config={LOGIN} username="{user}" password="{password}";
""")


def _grant_rights(settings):
    """Gives the users their rights, once: RIGHTS as they stand now are granted if they were not."""
    wanted = hashlib.sha256(repr(RIGHTS).encode()).hexdigest()
    file = settings.data("rights", by_profile=True)
    if file.exists() and file.read_text().strip() == wanted:
        return
    for user, operations, resource in RIGHTS:
        run_java(settings, [TOOLS["acls"], "--bootstrap-server", bootstrap(settings), "--command-config",
                            str(client_file(settings, "admin")), "--add", "--allow-principal", f"User:{user}",
                            *(word for operation in operations for word in ("--operation", operation)),
                            *resource], f"grant rights to {user}")
    write_private(file, wanted + "\n")


# --- ZooKeeper --------------------------------------------------------------------------------------

def _zookeeper(settings):
    port = settings["zookeeper"]["port"]
    data = settings.data("zookeeper", by_profile=True)
    conf = f"""\
tickTime=2000
dataDir={data}
clientPort={port}
clientPortAddress={HOST}
admin.enableServer=false
4lw.commands.whitelist=srvr,dump
autopurge.purgeInterval=24
"""

    def prepare():
        settings.write_conf("zookeeper.cfg", conf)
        private_folder(data)

    return Server(
        name="zookeeper", service="zookeeper", data=data, ports=(port,), prepare=prepare,
        command=lambda: _java(settings, "kafka3", settings["zookeeper"]["heap_mb"])
        + ["org.apache.zookeeper.server.quorum.QuorumPeerMain", str(settings.folder / "conf" / "zookeeper.cfg")],
        ready=lambda: "Mode: standalone" in _ask_zookeeper(settings, "srvr"))  # ruok says yes too early


def _ask_zookeeper(settings, word):
    with contextlib.suppress(OSError), \
            socket.create_connection((HOST, settings["zookeeper"]["port"]), timeout=2) as connection:
        connection.sendall(word.encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace")
    return ""


def _await_old_session(settings):
    """A broker that was killed is registered until its session ends; a new one would die of that."""
    if not poll_until(lambda: "/brokers/ids/1\n" not in _ask_zookeeper(settings, "dump") + "\n", 30):
        raise StackError("ZooKeeper still has the broker's last life registered after 30 s: is another broker using "
                         f"port {settings['zookeeper']['port']}?")


def _await_topics(settings, server):
    """A broker opens its port before the controller has told it which topics there are, and knows of none until
    then. Only its log says when it was told: ZooKeeper has them all along."""
    if not poll_until(lambda: _told_of_topics(process.log_of_this_life(settings, server)), 30):
        raise process.failure(settings, server, "answers, but was not told within 30 s which topics there are",
                              "`deploy/stack down kafka zookeeper`, then `deploy/stack up`.")


def _told_of_topics(log):
    before, elected, _ = log.partition("Ready to serve as the new controller")
    told = re.search(r"Sending UpdateMetadata request to brokers HashSet\(1\) for [1-9]", before)
    return bool(elected) and (not told or bool(re.search(r"Add [1-9]\d* partitions .*from metadata cache", log)))


# --- Kafka's own tools ------------------------------------------------------------------------------

def tool_command(settings, tool, user, arguments):
    """Kafka's own command line tool, told where the brokers are and how to speak to them."""
    command = _java(settings, "kafka", 256, "error") + [TOOLS[tool], "--bootstrap-server", bootstrap(settings)]
    if settings.secure:
        command += ["--command-config", str(client_file(settings, user))]
    return command + list(arguments)


def run_java(settings, arguments, purpose):
    command = _java(settings, "kafka", 128, "error") + arguments
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode:
        raise StackError(f"kafka: cannot {purpose}:\n{(result.stdout + result.stderr)[-3000:]}")
