package protocol

// watch reads whose presence a session wants to know.
func (d *decoder) watch(f *Frame) *Error {
	v := d.fields[fieldUsers]
	if v.kind <= kindNull {
		return fieldUsers.missing()
	}
	if v.kind != kindArray {
		return fieldUsers.bad("must be an array of openids")
	}
	return v.texts(fieldUsers, func(openID string) *Error {
		if !ValidOpenID(openID) {
			return fieldUsers.bad("must hold openids of 1 to 128 bytes without comma and control characters")
		}
		if len(f.Users) == MaxUsers {
			return fieldUsers.bad("more than 1000 entries")
		}
		f.Users = append(f.Users, openID)
		return nil
	})
}

// AppendWatchDone appends the answer to a frame 23: how it stands with each user who is watched. id is raw JSON, as in Frame.
func AppendWatchDone(dst []byte, id string, users []Presence) []byte {
	dst = append(dst, `{"type":23,"params":{"users":[`...)
	for i := range users {
		dst = append(append(dst, separator(i)...), '{')
		dst = append(appendPresence(dst, &users[i]), '}')
	}
	return appendReplyEnd(append(dst, ']'), id)
}

// AppendPresence appends frame 24.
func AppendPresence(dst []byte, dates *Dates, p *Presence) []byte {
	dst = append(dst, `{"type":24,"params":{`...)
	dst = appendPresence(dst, p)
	dst = dates.appendDate(dst, `,"date":`, p.At)
	dst = appendInt(dst, `,"at":`, p.At)
	return appendReplyEnd(dst, "")
}

func appendPresence(dst []byte, p *Presence) []byte {
	dst = appendText(dst, `"openid":`, p.OpenID)
	dst = appendText(dst, `,"status":`, p.Status)
	dst = append(dst, `,"devices":[`...)
	for i, device := range p.Devices {
		dst = appendText(dst, separator(i), device)
	}
	return append(dst, ']')
}
