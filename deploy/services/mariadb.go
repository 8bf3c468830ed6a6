package services

import (
	"context"
	"os"
	"os/exec"
	"syscall"
)

var mariadb = software{
	port: 13306,
	programs: []program{
		{"mariadbd", "mariadb-server-core"}, // the server without Debian's system service around it
		{"mariadb-install-db", "mariadb-server-core"},
		{"mariadb", "mariadb-client-core"},
	},
	stop:      syscall.SIGTERM,
	prepare:   prepareMariaDB,
	configure: func(s Spec) error { return os.WriteFile(s.config(), []byte(mariadbAccount), 0o600) },
	command: func(s Spec) *exec.Cmd {
		return exec.Command(locate("mariadbd"), append([]string{
			"--no-defaults", "--datadir=" + s.data(), "--tmpdir=" + s.temp(), "--init-file=" + s.config(),
			"--bind-address=" + loopback, "--port=" + s.port(), "--skip-name-resolve",
			"--socket=mariadb.sock", // in the data folder; the whole path may be longer than a socket's may be
			"--pid-file=mariadb.pid",
			"--max-connections=200", "--character-set-server=utf8mb4",
			"--innodb-buffer-pool-size=256M", "--innodb-flush-log-at-trx-commit=1",
		}, asRoot()...)...)
	},
	ready: selectOne,
}

func prepareMariaDB(ctx context.Context, s Spec) error {
	_, err := output(exec.CommandContext(ctx, locate("mariadb-install-db"), append([]string{
		"--no-defaults", "--datadir=" + s.data(), "--tmpdir=" + s.temp(), "--skip-test-db", "--auth-root-authentication-method=normal",
	}, asRoot()...)...))
	return err
}

// mariadbAccount is run at each start, before anybody is let in.
const mariadbAccount = "CREATE USER IF NOT EXISTS '" + User + "'@'" + loopback + "' IDENTIFIED BY '" + Password + "';\n" +
	"GRANT ALL PRIVILEGES ON *.* TO '" + User + "'@'" + loopback + "' WITH GRANT OPTION;\n" +
	"CREATE DATABASE IF NOT EXISTS " + Database + ";\n"

// asRoot is what mariadbd wants to hear before it runs as root.
func asRoot() []string {
	if os.Geteuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}
