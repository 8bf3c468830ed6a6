package doctest

import "strings"

// prepared is what the readers of a page have before they begin.
var prepared = map[string]string{
	"docs/operations.md": `
cat > FILE <<'END'
server: {listen: 127.0.0.1:8188, admin: 127.0.0.1:8189}
sso: {dev: true}
store: {dir: ./data}
messages: {unknownUsers: store}
drain: {delay: 0s, spread: 0s}
END
yanlink -config FILE 2> node.log &
curl -sS --retry 30 --retry-connrefused --retry-delay 1 http://127.0.0.1:8188/readyz
TOKEN=$(curl -sS -H 'Content-Type: application/json' -d '{"openid":"rose"}' http://127.0.0.1:8188/dev/login | sed 's/.*"token":"\([^"]*\)".*/\1/')
curl -sS -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"to":["will"],"message":"Hello","fileType":0}' http://127.0.0.1:8188/api/v1/messages
kill -INT $!
wait $!
`,
}

// within keeps a page's own folders below the folder of its test.
var within = strings.NewReplacer("/backups/", "./backups/")
