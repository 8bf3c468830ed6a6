package services

import (
	"context"
	_ "embed" // the pom
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// RocketMQVersion is the one that runs here. Of 5.3.4 not all jars are at Maven Central.
const RocketMQVersion = "5.3.3"

var java = []program{{"java", "openjdk-17-jre-headless"}, {"mvn", "maven"}}

var namesrv = software{
	port:      19876,
	programs:  java,
	stop:      syscall.SIGTERM,
	slow:      true, // 5 to 10 seconds
	fetched:   rocketMQFetched,
	fetch:     fetchRocketMQ,
	configure: func(s Spec) error { return os.WriteFile(s.config(), []byte(namesrvConfig(s)), 0o600) },
	command: func(s Spec) *exec.Cmd {
		return javaCommand(s, "org.apache.rocketmq.namesrv.NamesrvStartup", "-Xms64m", "-Xmx128m")
	},
	ready: namesrvReady,
}

var broker = software{
	port:       19911,
	neighbours: []int{-2, 1}, // one for clients in a hurry, and replication
	needs:      []Kind{Namesrv},
	programs:   java,
	stop:       syscall.SIGTERM,
	slow:       true, // 5 to 10 seconds
	fetched:    rocketMQFetched,
	fetch:      fetchRocketMQ,
	configure:  configureBroker,
	command: func(s Spec) *exec.Cmd {
		return javaCommand(s, "org.apache.rocketmq.broker.BrokerStartup",
			"-Xms256m", "-Xmx512m", "-XX:MaxDirectMemorySize=256m",
			// Else it takes no messages on a disk that is 90 % full.
			"-Drocketmq.broker.diskSpaceWarningLevelRatio=0.97", "-Drocketmq.broker.diskSpaceCleanForciblyRatio=0.96")
	},
	ready: brokerReady,
}

// javaCommand runs a server of a few minutes' life on a small machine: the second compiler and a collector with threads of its own
// would take more of its processors than the server does.
func javaCommand(s Spec, main string, options ...string) *exec.Cmd {
	args := append(options, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Duser.home="+s.Dir, "-cp", filepath.Join(rocketMQJars(), "*"), main, "-c", s.config())
	cmd := exec.Command(locate("java"), args...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "ROCKETMQ_HOME="+s.Dir)
	return cmd
}

func namesrvConfig(s Spec) string {
	return fmt.Sprintf("bindAddress=%s\nlistenPort=%d\n", loopback, s.Port)
}

func configureBroker(s Spec) error {
	if s.Namesrv == "" {
		return errors.New("a broker needs the address of its name server: set Spec.Namesrv")
	}
	name := s.Name
	if name == "" {
		name = "broker-a"
	}
	announce := s.Announce
	if announce == "" {
		announce = loopback
	}
	config := fmt.Sprintf(brokerConfig, name, s.Namesrv, loopback, s.Port, s.data(), announce) + s.More
	return os.WriteFile(s.config(), []byte(config), 0o600)
}

// brokerConfig is a small broker. It has no setting that keeps the port for replication, which nobody uses here, on
// loopback. What it has accepted is on the disk a moment later: the bus carries what the ledger already holds. Each flush of the
// wheel of timed messages, of which the bus has none, takes half a second of a processor, and one is enough; without a wheel it
// deletes no topic. Until it is time to flush the metrics of transactions for the first time, which is after 3 s unless set, it
// looks at the clock as often as a processor can. One thread of each kind is enough, and costs fewer switches between them.
const brokerConfig = `brokerClusterName=yanlink
brokerName=%[1]s
brokerId=0
brokerRole=ASYNC_MASTER
flushDiskType=ASYNC_FLUSH
namesrvAddr=%[2]s
bindAddress=%[3]s
brokerIP1=%[6]s
brokerIP2=%[3]s
listenPort=%[4]d
storePathRootDir=%[5]s
storePathCommitLog=%[5]s/commitlog
mappedFileSizeCommitLog=16777216
mappedFileSizeConsumeQueue=600000
timerFlushIntervalMs=3600000
transactionMetricFlushInterval=300
serverSelectorThreads=1
useEpollNativeSelector=true
serverWorkerThreads=1
sendMessageThreadPoolNums=1
pullMessageThreadPoolNums=1
maxHashSlotNum=50000
maxIndexNum=200000
diskMaxUsedSpaceRatio=95
fileReservedTime=2
deleteWhen=04
autoCreateTopicEnable=true
autoCreateSubscriptionGroup=true
`

//go:embed rocketmq.pom.xml
var rocketMQPom []byte

func rocketMQDir() string {
	cache, err := CacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "rocketmq-"+RocketMQVersion)
}

func rocketMQJars() string { return filepath.Join(rocketMQDir(), "lib") }

func rocketMQFetched() bool {
	_, err := os.Stat(rocketMQJars())
	return err == nil
}

// fetchRocketMQ copies the jars from Maven Central into a folder that gets its name when it is whole.
func fetchRocketMQ(ctx context.Context, progress io.Writer) error {
	dir := rocketMQDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	pom, draft := filepath.Join(dir, "pom.xml"), filepath.Join(dir, "lib.unfinished")
	if err := errors.Join(os.RemoveAll(draft), os.WriteFile(pom, rocketMQPom, 0o600)); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(progress, "fetching RocketMQ %s from Maven Central, 83 MB\n", RocketMQVersion)
	maven := exec.CommandContext(ctx, locate("mvn"), "-B", "-q", "-f", pom,
		"org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies", "-DoutputDirectory="+draft)
	maven.Stdout, maven.Stderr = progress, progress
	if err := maven.Run(); err != nil {
		return fmt.Errorf("mvn: %w; what it wrote says why; a mirror is set in ~/.m2/settings.xml", err)
	}
	return os.Rename(draft, rocketMQJars())
}
