// Package configs holds every setting of Yanlink: its type, default, range and meaning stand together in the structs
// below, and everything else is made from them: loading, validation, the example file and the table in docs.
//
// A field's tags: mapstructure is its name below its section; doc says what it does; min and max are inclusive bounds;
// oneof lists the values allowed; secret marks what may also come from a file named by <variable>_FILE.
//
// Dependencies: viper. The package starts nothing and keeps no state.
package configs

import "time"

// Config is the whole configuration. Default returns one that works on a fresh machine.
type Config struct {
	Server    Server    `mapstructure:"server"`
	Node      Node      `mapstructure:"node"`
	Store     Store     `mapstructure:"store"`
	Registry  Registry  `mapstructure:"registry"`
	Bus       Bus       `mapstructure:"bus"`
	Discovery Discovery `mapstructure:"discovery"`
	SSO       SSO       `mapstructure:"sso"`
	Auth      Auth      `mapstructure:"auth"`
	Limits    Limits    `mapstructure:"limits"`
	Heartbeat Heartbeat `mapstructure:"heartbeat"`
	Presence  Presence  `mapstructure:"presence"`
	Delivery  Delivery  `mapstructure:"delivery"`
	Messages  Messages  `mapstructure:"messages"`
	Ledger    Ledger    `mapstructure:"ledger"`
	Events    Events    `mapstructure:"events"`
	Retention Retention `mapstructure:"retention"`
	Drain     Drain     `mapstructure:"drain"`
	Protocol  Protocol  `mapstructure:"protocol"`
	Log       Log       `mapstructure:"log"`
}

// Server is the HTTP side.
type Server struct {
	Listen            string        `mapstructure:"listen" doc:"address of the public API; port 0 takes a free one and logs it (standalone program only)"`
	Admin             string        `mapstructure:"admin" doc:"address of metrics, profiles and orders for a backup; empty for off (standalone program only)"`
	Origins           []string      `mapstructure:"origins" doc:"web origins allowed besides the same host, each scheme://host[:port]"`
	TrustedProxies    []string      `mapstructure:"trustedProxies" doc:"addresses or networks of proxies whose X-Forwarded-For is believed (standalone program only)"`
	BodyBytes         int           `mapstructure:"bodyBytes" min:"1024" max:"67108864" doc:"largest body of a REST request, in bytes"`
	HeaderBytes       int           `mapstructure:"headerBytes" min:"4096" max:"4194304" doc:"largest header of a request, in bytes (standalone program only)"`
	CallTimeout       time.Duration `mapstructure:"callTimeout" min:"1s" max:"10m" doc:"how long one REST call may take, sending its body included; longer than ledger.commitTimeout, so that the ledger's own answer comes first"`
	QueryTimeout      time.Duration `mapstructure:"queryTimeout" min:"100ms" max:"10m" doc:"how long one REST call may take that only reads; server.callTimeout where that is shorter"`
	ReadHeaderTimeout time.Duration `mapstructure:"readHeaderTimeout" min:"100ms" max:"5m" doc:"how long a client may take to send a request's header, a handshake's too (standalone program only)"`
	WriteTimeout      time.Duration `mapstructure:"writeTimeout" min:"20s" max:"1h" doc:"how long an answer may take until the client has it; sockets have delivery.writeTimeout (standalone program only)"`
	TrimEvery         time.Duration `mapstructure:"trimEvery" min:"0s" max:"1h" doc:"how often to see whether it is quiet and give memory that nobody uses back to the system; 0 for never (standalone program only)"`
}

// Node names this process among others.
type Node struct {
	ID        string `mapstructure:"id" doc:"name of the node: letters, digits, - and _, at most 64; empty for one made from node.advertise"`
	Advertise string `mapstructure:"advertise" doc:"<ip>:<port> in session ids; empty for the address listened on; set it in an application that mounts the bundle"`
}

// Store is where the ledger is kept.
type Store struct {
	Driver       string        `mapstructure:"driver" oneof:"pebble,mysql,postgres" doc:"what keeps the ledger: a folder of this process, or a database that the nodes of a cluster share"`
	Dir          string        `mapstructure:"dir" doc:"folder of the ledger (pebble), and of the development SSO's key, which the nodes of a cluster have to share"`
	DSN          string        `mapstructure:"dsn" secret:"true" doc:"data source name of the database (mysql, postgres)"`
	Migrate      string        `mapstructure:"migrate" oneof:"auto,off" doc:"whether tables are made and changed at start; off to do it by yanlink migrate (mysql, postgres)"`
	StartTimeout time.Duration `mapstructure:"startTimeout" min:"1s" max:"24h" doc:"how long a start waits for the database to answer (mysql, postgres)"`
	MaxConns     int           `mapstructure:"maxConns" min:"4" max:"10000" doc:"connections to the database (mysql, postgres)"`
	AllowUnsafe  bool          `mapstructure:"allowUnsafe" doc:"start although the database's settings may lose commits in a power cut (mysql, postgres)"`
	CacheBytes   int64         `mapstructure:"cacheBytes" min:"1048576" doc:"memory for blocks read from disk, in bytes (pebble)"`
	BufferBytes  int64         `mapstructure:"bufferBytes" min:"1048576" max:"1073741824" doc:"memory that writes gather in before they go to a table on disk, in bytes (pebble)"`
	MinFreeBytes int64         `mapstructure:"minFreeBytes" min:"0" doc:"free space on the disk below which sends are refused, in bytes; 0 for no check (pebble)"`
}

// Registry says where the routes of a cluster are kept.
type Registry struct {
	Driver  string        `mapstructure:"driver" oneof:"memory,redis" doc:"what knows which node holds which session: memory for a node alone, redis for a cluster"`
	NodeTTL time.Duration `mapstructure:"nodeTTL" min:"1s" max:"5m" doc:"how long a node may be silent before it counts as dead; it gives a sign of life three times as often (redis)"`
	Timeout time.Duration `mapstructure:"timeout" min:"10ms" max:"30s" doc:"how long one call may take, after which the registry counts as down (redis)"`
	Redis   Redis         `mapstructure:"redis"`
}

// Redis is the address of a Redis server, cluster or set of sentinels.
type Redis struct {
	Addrs    []string `mapstructure:"addrs" doc:"<host>:<port> of each server"`
	Username string   `mapstructure:"username" doc:"user name, if Redis asks for one"`
	Password string   `mapstructure:"password" secret:"true" doc:"password, if Redis asks for one"`
	Master   string   `mapstructure:"master" doc:"name of the master; set it if the addresses are sentinels"`
	DB       int      `mapstructure:"db" min:"0" max:"1023" doc:"number of the database"`
}

// Bus says what carries messages between nodes.
type Bus struct {
	Driver   string   `mapstructure:"driver" oneof:"memory,rocketmq" doc:"what carries messages between nodes: memory for a node alone, rocketmq for a cluster"`
	RocketMQ RocketMQ `mapstructure:"rocketmq"`
}

// RocketMQ is the address of a RocketMQ cluster.
type RocketMQ struct {
	NameServers  []string      `mapstructure:"nameservers" doc:"<host>:<port> of each name server"`
	AccessKey    string        `mapstructure:"accessKey" secret:"true" doc:"access key, if access control is on"`
	SecretKey    string        `mapstructure:"secretKey" secret:"true" doc:"secret key, if access control is on"`
	SendTimeout  time.Duration `mapstructure:"sendTimeout" min:"100ms" max:"30s" doc:"how long sending to a broker may take"`
	QueueBodies  int           `mapstructure:"queueBodies" min:"16" max:"16777216" doc:"bodies waiting to be sent to brokers, beyond which they are left to the reconciler"`
	CreateTopics bool          `mapstructure:"createTopics" doc:"make the node's topics at start where they are missing; off to do it by yanlink topics create"`
}

// Discovery says where the node announces itself.
type Discovery struct {
	Driver string `mapstructure:"driver" oneof:"none,nacos" doc:"where the node announces itself"`
	Nacos  Nacos  `mapstructure:"nacos"`
}

// Nacos is the address of a Nacos cluster, and what is kept there.
type Nacos struct {
	Addrs      []string      `mapstructure:"addrs" doc:"<host>:<port> of each server (nacos)"`
	Namespace  string        `mapstructure:"namespace" doc:"namespace id; empty for the public one (nacos)"`
	Group      string        `mapstructure:"group" doc:"group of the service and of the configuration (nacos)"`
	Service    string        `mapstructure:"service" doc:"name of the service under which the node is registered (nacos)"`
	Username   string        `mapstructure:"username" doc:"user name, if Nacos asks for one (nacos)"`
	Password   string        `mapstructure:"password" secret:"true" doc:"password, if Nacos asks for one (nacos)"`
	Timeout    time.Duration `mapstructure:"timeout" min:"100ms" max:"30s" doc:"how long one call to one server may take (nacos)"`
	Beat       time.Duration `mapstructure:"beat" min:"500ms" max:"10s" doc:"how often the node gives a sign of life; Nacos takes out who is silent for 15s (nacos)"`
	Config     string        `mapstructure:"config" doc:"id of a configuration kept in Nacos, in YAML, read once at start; the file and the environment go before it; empty for none (nacos)"`
	ConfigCopy string        `mapstructure:"configCopy" doc:"file in which that configuration is kept, to start from while Nacos is down; it holds what Nacos holds, secrets too; empty for none (nacos)"`
}

// SSO says how tokens are checked.
type SSO struct {
	URL           string        `mapstructure:"url" doc:"where a token is checked: GET with the token in a header; empty with an authenticator of the host or the development SSO"`
	Header        string        `mapstructure:"header" doc:"header that carries the token to sso.url"`
	Scheme        string        `mapstructure:"scheme" doc:"word before the token in that header, such as Bearer; empty for none"`
	Cookie        string        `mapstructure:"cookie" doc:"name of a cookie that may carry a client's token; empty for none"`
	Fields        SSOFields     `mapstructure:"fields"`
	Timeout       time.Duration `mapstructure:"timeout" min:"10ms" max:"1m" doc:"how long one check may take"`
	CacheTTL      time.Duration `mapstructure:"cacheTTL" min:"1s" max:"24h" doc:"how long an accepted token is not asked about again; the nodes of a cluster share it through Redis"`
	CacheSize     int           `mapstructure:"cacheSize" min:"100" max:"10000000" doc:"accepted tokens remembered in memory, and a tenth as many refused ones"`
	Recheck       time.Duration `mapstructure:"recheck" min:"1s" max:"24h" doc:"how often the token of a live connection is checked again"`
	Grace         time.Duration `mapstructure:"grace" min:"0s" max:"720h" doc:"how long a known token goes on while the SSO cannot be asked"`
	TicketTTL     time.Duration `mapstructure:"ticketTTL" min:"1s" max:"10m" doc:"how long a one-use ticket holds; the nodes of a cluster share them through Redis"`
	MaxConcurrent int           `mapstructure:"maxConcurrent" min:"1" max:"10000" doc:"checks under way at one time"`
	Dev           bool          `mapstructure:"dev" doc:"built-in development SSO, on loopback only, while neither sso.url nor an authenticator is set"`
}

// SSOFields are the paths, joined by dots, at which the SSO's answer is read: from the top, then below "data".
type SSOFields struct {
	OpenID    string `mapstructure:"openid" doc:"path of the user's id"`
	UserName  string `mapstructure:"userName" doc:"path of the display name"`
	Roles     string `mapstructure:"roles" doc:"path of the roles: a list, or a text with commas; may be missing"`
	IssuedAt  string `mapstructure:"issuedAt" doc:"path of the time the token was issued: epoch seconds or milliseconds, or RFC 3339; may be missing"`
	ExpiresAt string `mapstructure:"expiresAt" doc:"path of the time the token ends, likewise; may be missing"`
	ExpiresIn string `mapstructure:"expiresIn" doc:"path of the seconds until the token ends; may be missing"`
}

// Auth says who may do what.
type Auth struct {
	ServiceKeys []ServiceKey `mapstructure:"serviceKeys" secret:"true" doc:"keys for other programs (header X-API-Key): a list of name, key (16 characters or more, or sha256: and the hexadecimal SHA-256 of one) and scopes, which are send, read, admin; as variable in JSON"`
	AdminRoles  []string     `mapstructure:"adminRoles" doc:"roles of the SSO that count as administrator"`
}

// ServiceKey lets another program in.
type ServiceKey struct {
	Name   string   `mapstructure:"name" json:"name"`
	Key    string   `mapstructure:"key" json:"key"`
	Scopes []string `mapstructure:"scopes" json:"scopes"`
}

// Limits bound what one client can take.
type Limits struct {
	ConnectionsPerIP       int     `mapstructure:"connectionsPerIP" min:"0" doc:"sockets of one client address; 0 for no limit"`
	ConnectsPerSecondPerIP float64 `mapstructure:"connectsPerSecondPerIP" min:"0" doc:"attempts to connect a second from one client address, bursts of twice that; who goes on beyond twice that is closed unread; 0 for no limit"`
	CallsPerSecondPerUser  float64 `mapstructure:"callsPerSecondPerUser" min:"0" doc:"REST calls a second of one user, bursts of twice that; each message beyond the first that a call sends, and each recipient beyond the first of a message, counts as one more; service keys have no limit; 0 for no limit"`
	RefusalsPerSecondPerIP float64 `mapstructure:"refusalsPerSecondPerIP" min:"0" doc:"requests a second from one client address that are refused for their token or service key, bursts of twice that; then none is checked until there is room; 0 for no limit"`
	SessionsPerUser        int     `mapstructure:"sessionsPerUser" min:"0" doc:"live sessions of one user; 0 for no limit"`
	DevicesPerUser         int     `mapstructure:"devicesPerUser" min:"0" doc:"devices of one user, of which one unused for 7 days gives way; 0 for no limit"`
	FramesPerSecond        float64 `mapstructure:"framesPerSecond" min:"0" doc:"frames a second of one device of a user, however often it connects, bursts of twice that; acknowledgements, heartbeats and syncs do not count; all together are read ten times as fast at most; 0 for no limit"`
	WatchedUsers           int     `mapstructure:"watchedUsers" min:"0" doc:"users whose presence one session may watch; 0 for no limit but that of a frame, which names 1000"`
	FrameBytes             int     `mapstructure:"frameBytes" min:"1024" max:"16777216" doc:"largest frame of a client, in bytes; over twice that the connection is closed"`
	InFlight               int     `mapstructure:"inFlight" min:"1" max:"65536" doc:"sends of one connection that wait for their commit, beyond which it is not read"`
}

// Heartbeat says when a silent connection is given up.
type Heartbeat struct {
	Interval time.Duration `mapstructure:"interval" min:"1s" max:"1h" doc:"how often a client is pinged"`
	Timeout  time.Duration `mapstructure:"timeout" min:"1s" max:"3h" doc:"how long a client may be silent; any frame counts as life"`
}

// Presence says how it is told who is online.
type Presence struct {
	Linger time.Duration `mapstructure:"linger" min:"0s" max:"10m" doc:"how long a device without a session counts as there for those who watch, so that a reconnect is not seen"`
}

// Delivery says how records reach devices.
type Delivery struct {
	Window         int           `mapstructure:"window" min:"1" max:"65536" doc:"records sent to a session and not yet acknowledged"`
	WindowBytes    int           `mapstructure:"windowBytes" min:"1024" max:"1073741824" doc:"their bodies together, in bytes; one record always fits"`
	ResendAfter    time.Duration `mapstructure:"resendAfter" min:"10ms" max:"5m" doc:"first wait for an acknowledgement; doubles with each resend"`
	Resends        int           `mapstructure:"resends" min:"0" max:"10" doc:"how often a record is sent again"`
	EarlyWait      time.Duration `mapstructure:"earlyWait" min:"0s" max:"5s" doc:"how long a record waits for the one before it"`
	SenderDevices  bool          `mapstructure:"senderDevices" doc:"send messages to the sender's other devices too"`
	QueueBytes     int           `mapstructure:"queueBytes" min:"65536" max:"1073741824" doc:"outgoing frames of a session waiting for its socket, in bytes; beyond it notices are dropped"`
	CursorEvery    time.Duration `mapstructure:"cursorEvery" min:"1s" max:"1h" doc:"how long a cursor may lag behind what was passed over"`
	EphemeralAfter time.Duration `mapstructure:"ephemeralAfter" min:"1s" max:"168h" doc:"how long after its last session an ephemeral device is dropped"`
	WriteTimeout   time.Duration `mapstructure:"writeTimeout" min:"100ms" max:"5m" doc:"how long one write to a socket may take"`
	CatchUpWorkers int           `mapstructure:"catchUpWorkers" min:"1" max:"1024" doc:"sessions that read the ledger at one time"`
	PageRecords    int           `mapstructure:"pageRecords" min:"1" max:"65536" doc:"records of one read of the ledger"`
	PageBytes      int           `mapstructure:"pageBytes" min:"1024" max:"1073741824" doc:"their bodies together, in bytes"`
	ReconcileEvery time.Duration `mapstructure:"reconcileEvery" min:"10ms" max:"5m" doc:"how often the ledger is compared with what sessions were sent"`
}

// Messages says what may be sent.
type Messages struct {
	AppName      string        `mapstructure:"appName" doc:"messages of the application itself come from system:<appName>"`
	MaxBytes     int           `mapstructure:"maxBytes" min:"0" max:"16777216" doc:"longest text of a message, in bytes; 0 for limits.frameBytes"`
	MaxDelay     time.Duration `mapstructure:"maxDelay" min:"0s" max:"87600h" doc:"how far ahead a message may be sent (delaySeconds); 0s for no delayed messages"`
	RecallWindow time.Duration `mapstructure:"recallWindow" min:"0s" max:"8760h" doc:"how long a sender may recall a message; 0s for always"`
	UnknownUsers string        `mapstructure:"unknownUsers" oneof:"refuse,store" doc:"what happens to a message for somebody who was never here"`
}

// Ledger says how messages are written.
type Ledger struct {
	Committers     int           `mapstructure:"committers" min:"1" max:"64" doc:"commits side by side, split by conversation; more only for a database that each one has to wait for: fewer are larger and cost less"`
	CommitInterval time.Duration `mapstructure:"commitInterval" min:"0s" max:"1s" doc:"least time between the starts of two commits; 0s for 600µs (pebble) or 3ms (mysql, postgres), 1ns for none"`
	AckDelay       time.Duration `mapstructure:"ackDelay" min:"0s" max:"1s" doc:"how long after the start of the last commit acknowledgements wait for a message to be written with; 0s for twice commitInterval (pebble) or 10ms (mysql, postgres)"`
	CommitBatch    int           `mapstructure:"commitBatch" min:"1" max:"65536" doc:"items in one commit"`
	CommitQueue    int           `mapstructure:"commitQueue" min:"1" max:"1048576" doc:"items waiting for a commit, beyond which sends are refused"`
	CommitTimeout  time.Duration `mapstructure:"commitTimeout" min:"100ms" max:"5m" doc:"how long one commit may take"`
}

// Events say what other systems are told.
type Events struct {
	Enabled      bool          `mapstructure:"enabled" doc:"tell other systems of messages, receipts and presence, by RocketMQ (bus.rocketmq), also where bus.driver is memory"`
	Bodies       bool          `mapstructure:"bodies" doc:"put the text of messages into the events about them"`
	OfflineAfter time.Duration `mapstructure:"offlineAfter" min:"0s" max:"24h" doc:"how long a recipient has to acknowledge a message before recipient.offline; 0s for never"`
	Linger       time.Duration `mapstructure:"linger" min:"100ms" max:"10m" doc:"how long a user without a session counts as online"`
	MaxAttempts  int           `mapstructure:"maxAttempts" min:"1" max:"100000" doc:"attempts to publish an event, after which it is dead until an administrator replays it"`
	RetryAfter   time.Duration `mapstructure:"retryAfter" min:"10ms" max:"1m" doc:"first wait between two attempts; doubles with each, up to a minute"`
}

// Retention says how long the ledger keeps what has served its purpose.
type Retention struct {
	Messages time.Duration `mapstructure:"messages" min:"0s" doc:"how long messages are kept, and with them what is known of their delivery; whoever did not get one by then does not any more; a repeat of one is a duplicate for ever; 0s for ever"`
	Tokens   time.Duration `mapstructure:"tokens" min:"0s" doc:"how long after a token was used last (and sso.grace) it is known, so that it stays revoked if it was; longer than tokens live; 0s for ever"`
}

// Drain says how the node goes away.
type Drain struct {
	Delay   time.Duration `mapstructure:"delay" min:"0s" max:"10m" doc:"how long the node serves on after it said that it is not ready"`
	Spread  time.Duration `mapstructure:"spread" min:"0s" max:"10m" doc:"over how long the sessions are closed"`
	Timeout time.Duration `mapstructure:"timeout" min:"100ms" max:"30m" doc:"how long all of it may take"`
}

// Protocol is what the given frames leave open.
type Protocol struct {
	Trigger string `mapstructure:"trigger" oneof:"given,exact" doc:"trigger in envelopes: given is always 1, as in the given examples; exact is 1 for REST and 2 for WebSocket"`
	Zone    string `mapstructure:"zone" doc:"time zone of the given date fields, such as Asia/Shanghai; empty for the host's"`
}

// Log says what is logged.
type Log struct {
	Level  string `mapstructure:"level" oneof:"debug,info,warn,error" doc:"least level that is logged (standalone program only)"`
	Format string `mapstructure:"format" oneof:"text,json" doc:"form of a line (standalone program only)"`
}
