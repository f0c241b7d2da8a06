package locales

// Decline puts a gateway's code for a declined payment into a sentence that
// helps, in a language or, where we do not have it, in English. No code is no
// sentence.
func Decline(lang, code string) string {
	l, ok := Get(lang)
	if !ok {
		l, _ = Get(Default)
	}
	switch key := "decline." + code; {
	case code == "":
		return ""
	case l.Has(key):
		return l.Text(key)
	}
	return l.Text("decline.other")
}
