package sso

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// maxLogin is the largest body of a login.
const maxLogin = 64 << 10

// Dev is a single sign-on service for development: who asks on the same machine is who they say they are. Its tokens
// are signed and not stored, so that they survive a restart. To everybody who is not on this machine, or comes through a
// proxy or by a foreign name, its routes are not there.
//
// It is safe for concurrent use; its fields are not to be changed once it serves.
type Dev struct {
	Key    []byte   // signs the tokens; required
	Header string   // that Check is called with; required
	Scheme string   // word before the token in it; empty for none
	Clock  ws.Clock // default time.Now
}

// Login answers POST /dev/login: {"openid","userName","roles"?} → {"token","expiresIn"}.
func (d *Dev) Login(w http.ResponseWriter, r *http.Request) {
	if !Local(r) {
		refuse(w, r, errNothingHere)
		return
	}
	var who struct {
		OpenID   string   `json:"openid"`
		UserName string   `json:"userName"`
		Roles    []string `json:"roles"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxLogin)).Decode(&who)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		refuse(w, r, protocol.FieldError(protocol.BadField, kind.Field, "openid and userName are texts, roles is a list of texts"))
	case err != nil:
		refuse(w, r, protocol.NewError(protocol.BadJSON, `the body is not a JSON object such as {"openid":"alice","userName":"Alice"}`))
	case who.OpenID == "":
		refuse(w, r, protocol.FieldError(protocol.MissingField, "openid", "openid is missing: who do you want to be?"))
	case !protocol.ValidOpenID(who.OpenID):
		refuse(w, r, protocol.FieldError(protocol.BadField, "openid", "an openid is 1 to 128 bytes without comma or control characters"))
	default:
		now := d.now()
		token := signDev(d.Key, devClaims{
			OpenID: who.OpenID, UserName: who.UserName, Roles: who.Roles,
			IssuedAt: now.UnixMilli(), ExpiresAt: now.Add(devTokenLife).UnixMilli(),
		})
		reply(w, http.StatusOK, map[string]any{"token": token, "expiresIn": int(devTokenLife.Seconds())})
	}
}

// Check answers GET /dev/sso/check as a single sign-on service does.
func (d *Dev) Check(w http.ResponseWriter, r *http.Request) {
	if !Local(r) {
		refuse(w, r, errNothingHere)
		return
	}
	token := r.Header.Get(d.Header)
	if d.Scheme != "" {
		token = strings.TrimPrefix(token, d.Scheme+" ")
	}
	claims, ok := readDev(d.Key, token, d.now())
	if !ok {
		reply(w, http.StatusUnauthorized, map[string]any{"statusCode": http.StatusUnauthorized, "msg": "the token is not valid or has ended"})
		return
	}
	reply(w, http.StatusOK, map[string]any{"statusCode": http.StatusOK, "data": map[string]any{
		"openid": claims.OpenID, "userName": claims.UserName, "roles": claims.Roles,
		"issuedAt": claims.IssuedAt, "expiresAt": claims.ExpiresAt,
	}})
}

func (d *Dev) now() time.Time {
	if d.Clock == nil {
		return time.Now()
	}
	return d.Clock()
}

var errNothingHere = protocol.NewError(protocol.NotFound, "there is nothing at this path")

// Local reports whether a request comes from this machine to this machine, with no proxy between, under a name of this
// machine: a page elsewhere could have made a name of its own point here.
func Local(r *http.Request) bool {
	return LocalAddr(r) != "" && loopback(r.RemoteAddr) && LoopbackHost(r.Host) && ownPage(r.Header) && !forwarded(r.Header)
}

// ownPage reports whether a request comes from a page of this machine, or from none. A browser names the page even
// where a proxy between adds nothing of its own.
func ownPage(header http.Header) bool {
	for _, origin := range header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || !LoopbackHost(u.Host) {
			return false
		}
	}
	return true
}

// LocalAddr returns the loopback address that a request came to; empty if it came to another.
func LocalAddr(r *http.Request) string {
	address, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || !loopback(address.String()) {
		return ""
	}
	return address.String()
}

// LoopbackHost reports whether a host, with or without a port, is this machine's name for itself.
func LoopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

func loopback(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// forwarded reports whether a proxy has passed the request on.
func forwarded(header http.Header) bool {
	for name := range header {
		switch name {
		case "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip":
			return true
		}
		if strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}

func refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, body := protocol.NewErrorBody(err, ws.CallerFrom(r.Context()).RequestID)
	reply(w, status, body)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever does not read the answer has gone
}
