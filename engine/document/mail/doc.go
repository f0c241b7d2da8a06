// Package mail writes the mails that customers receive: one Kind per occasion,
// in every language of package locales, as plain text and as HTML of the same
// content. It owns wording, layout and escaping; it sends nothing and knows no
// addresses. Passwords and other secrets never stand in a mail: links lead there.
package mail
