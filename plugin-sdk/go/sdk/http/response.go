package http

import "strings"

// OK says whether the status is one of 200 to 299.
func (r Response) OK() bool { return r.Status >= 200 && r.Status < 300 }

// Header is the first header of a name, or empty.
func (r Response) Header(name string) string {
	for _, header := range r.Headers {
		if strings.EqualFold(header.Name, name) {
			return header.Value
		}
	}
	return ""
}
