// Package app puts the parts together: Bundle for a Gin application that mounts Yanlink, Server for the program that
// is nothing else.
//
//	bundle, err := app.New(cfg, app.WithAuthenticator(mySSO))
//	router.Use(bundle.TokenFilter())
//	bundle.Mount(router.Group("/im"))
//	err = bundle.Start(ctx)
//	defer bundle.Stop(stopCtx)
//
// # Lifecycle
//
// New validates and builds: it opens the ledger, so that whoever gets a Bundle has to Stop it, started or not. Start
// begins to serve, Stop drains and frees everything; each is done once. Nothing global is touched: not the default
// logger, registry or viper, nor Gin's mode.
//
// # Concurrency
//
// All methods of a Bundle may be called from any goroutine; Mount and MountAdmin before the router serves.
package app
