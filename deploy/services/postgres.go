package services

import (
	"context"
	"os/exec"
	"strings"
	"syscall"
)

var postgres = software{
	port: 15432,
	programs: []program{
		{"postgres", "postgresql-15"},
		{"initdb", "postgresql-15"},
		{"psql", "postgresql-client-15"},
	},
	user:    "postgres",
	stop:    syscall.SIGINT, // "fast": open connections are ended
	prepare: preparePostgres,
	command: func(s Spec) *exec.Cmd {
		return exec.Command(locate("postgres"), "-D", s.data(), "-p", s.port(),
			"-c", "listen_addresses="+loopback, "-c", "unix_socket_directories=",
			"-c", "shared_preload_libraries=pg_stat_statements", // for whoever asks what a database was asked
			"-c", "max_connections=200", "-c", "shared_buffers=128MB",
			"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on",
			// In the data folder, not in /dev/shm, where a kill would leave it.
			"-c", "dynamic_shared_memory_type=mmap")
	},
	ready: selectOne,
}

func preparePostgres(ctx context.Context, s Spec) error {
	initdb := exec.CommandContext(ctx, locate("initdb"), "-D", s.data(), "-U", "postgres",
		"-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256", "--auth-local=trust")
	// Without a server: nobody else can get in while there is no password.
	account := exec.CommandContext(ctx, locate("postgres"), "--single", "-D", s.data(), "postgres")
	account.Stdin = strings.NewReader("CREATE ROLE " + User + " LOGIN CREATEDB PASSWORD '" + Password + "'\n" +
		"CREATE DATABASE " + Database + " OWNER " + User + "\n" +
		"CREATE EXTENSION pg_stat_statements\nGRANT pg_read_all_stats TO " + User + "\n")
	for _, cmd := range []*exec.Cmd{initdb, account} {
		var err error
		if cmd.SysProcAttr, err = attributes(withParent, "postgres"); err != nil {
			return err
		}
		if _, err := output(cmd); err != nil {
			return err
		}
	}
	return nil
}
