package sso

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// devTokenLife is how long a token of the development SSO holds.
const devTokenLife = 24 * time.Hour

// devClaims is what a token of the development SSO says.
type devClaims struct {
	OpenID    string   `json:"openid"`
	UserName  string   `json:"userName"`
	Roles     []string `json:"roles,omitempty"`
	IssuedAt  int64    `json:"iat"` // epoch ms
	ExpiresAt int64    `json:"exp"`
	Nonce     string   `json:"nonce"` // so that two logins are two tokens
}

// signDev makes a token: the claims and their signature. Nothing of it is stored, so it holds on every node with the key.
func signDev(key []byte, claims devClaims) string {
	claims.Nonce = rand.Text()
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // texts and numbers always marshal
	}
	body := base64.RawURLEncoding.EncodeToString(payload)
	return body + "." + devSignature(key, body)
}

// readDev returns the claims of a token that was signed with key and has not ended.
func readDev(key []byte, token string, now time.Time) (claims devClaims, ok bool) {
	body, signature, found := strings.Cut(token, ".")
	if !found || !hmac.Equal([]byte(signature), []byte(devSignature(key, body))) {
		return devClaims{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(payload, &claims) != nil || now.UnixMilli() >= claims.ExpiresAt {
		return devClaims{}, false
	}
	return claims, true
}

func devSignature(key []byte, body string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
