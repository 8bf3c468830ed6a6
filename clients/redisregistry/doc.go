// Package redisregistry keeps in Redis who is where: the nodes of the cluster, and which sessions each of them holds.
//
// # Keys
//
//	yan_websocket_server              hash    <ip>:<port> → a node's entry
//	yan_serverclients_<ip>:<port>     set     the session ids on that node: the index by which it is reaped
//	yan_client_<openid>               hash    session id → its route
//	yan_token_<sha256>                string  an accepted token, see Tokens
//	yan_reaper_lock                   string  held by the node that reaps
//
// # Invariants
//
// Every script touches one key, so that a Redis Cluster runs them. A route is recorded before its session stands in the
// index and removed before it is taken out, so that who finds it in the index without a route finds what is past.
//
// A node joins when it beats for the first time, and again whenever the registry does not know it as it was: after a
// flush, an older copy, or its own death. Each route carries when its node had joined. A reaper removes only routes that
// are not younger than the life that it saw end, so that one who was held up for however long does no harm to a node
// that has come back.
//
// # Lifetimes
//
// Dead nodes are reaped by the living. What a cluster leaves behind that was shut off as a whole goes after a day: all
// keys have a lifetime, which beats renew. See renew.
package redisregistry
