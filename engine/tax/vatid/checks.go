package vatid

import (
	"strings"
	"time"
)

// The checks get numbers that fit their shape. Names of digits follow the
// construction rules: C1 is the first.

// digit is the value of a character that is known to be a digit.
func digit(c byte) int { return int(c - '0') }

// weigh sums the digits of a number by weights, as many as there are weights.
func weigh(number string, weights ...int) (sum int) {
	for i, w := range weights {
		sum += w * digit(number[i])
	}
	return sum
}

// last is the last digit, mostly the check digit.
func last(number string) int { return digit(number[len(number)-1]) }

// value is a number of digits, short enough for an int.
func value(digits string) (n int) {
	for i := range len(digits) {
		n = n*10 + digit(digits[i])
	}
	return n
}

// luhn is ISO/IEC 7812-1 annex B: every second digit from the right doubled.
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		d := digit(number[len(number)-1-i])
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return sum%10 == 0
}

// mod1110 is ISO/IEC 7064 MOD 11,10. Croatia's OIB uses it (Ordinance on the
// personal identification number), and Germany's VAT id.
func mod1110(number string) bool {
	product := 10
	for i := range len(number) - 1 {
		sum := (digit(number[i]) + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = 2 * sum % 11
	}
	return (11-product)%10 == last(number)
}

// date says whether there was such a day.
func date(year, month, day int) bool {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t.Year() == year && t.Month() == time.Month(month) && t.Day() == day
}

// austria: C2 to C8 by 1 and 2 in turn, digits of products added.
func austria(number string) bool {
	sum := 4
	for i, c := range []byte(number[1:8]) {
		d := digit(c) * (1 + i%2)
		sum += d/10 + d%10
	}
	return (10-sum%10)%10 == last(number)
}

// belgium: enterprise numbers begin with 0, since 2023 also with 1.
func belgium(number string) bool {
	return number[0] <= '1' && 97-value(number[:8])%97 == value(number[8:])
}

func bulgarianCompany(number string) bool {
	check := weigh(number, 1, 2, 3, 4, 5, 6, 7, 8) % 11
	if check == 10 {
		check = weigh(number, 3, 4, 5, 6, 7, 8, 9, 10) % 11 % 10
	}
	return check == last(number)
}

// bulgarianPerson: a citizen with date of birth, a foreigner, or another.
func bulgarianPerson(number string) bool {
	citizen := weigh(number, 2, 4, 8, 5, 10, 9, 7, 3, 6) % 11 % 10
	foreigner := weigh(number, 21, 19, 17, 13, 11, 9, 7, 3, 1) % 10
	other := (11 - weigh(number, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	year, month := value(number[:2]), value(number[2:4])
	switch {
	case month > 40:
		year, month = year+2000, month-40
	case month > 20:
		year, month = year+1800, month-20
	default:
		year += 1900
	}
	check := last(number)
	return citizen == check && date(year, month, value(number[4:6])) || foreigner == check || other == check
}

func czechCompany(number string) bool {
	check := 11 - weigh(number, 8, 7, 6, 5, 4, 3, 2)%11
	return number[0] != '9' && check%10 == last(number)
}

// czechSpecial: persons with a number that begins with 6 and is no birth number.
func czechSpecial(number string) bool {
	return (weigh(number[1:], 8, 7, 6, 5, 4, 3, 2)%11+8)%10 == last(number)
}

func czechBornBefore1954(number string) bool {
	year := value(number[:2])
	if year >= 80 {
		year -= 100
	}
	return year <= 53 && czechDate(year+1900, number)
}

func czechPerson(number string) bool {
	year := value(number[:2])
	if year < 54 {
		year += 100
	}
	return czechDate(year+1900, number) && value(number[:9])%11%10 == last(number)
}

// czechDate: women have 50 more in the month, and 20 more where a day's numbers
// were used up.
func czechDate(year int, number string) bool {
	return date(year, value(number[2:4])%50%20, value(number[4:6]))
}

// germany: also "Vollständigkeits- und Schlüssigkeitsregel", annex 3 of § 9
// ZMDV, Federal Law Gazette 1993 I p. 736.
func germany(number string) bool { return number[0] != '0' && mod1110(number) }

// denmark: also Erhvervsstyrelsen, "Modulus 11 kontrol".
func denmark(number string) bool {
	return number[0] != '0' && weigh(number, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0
}

func estonia(number string) bool { return weigh(number, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0 }

func greece(number string) bool {
	return weigh(number, 256, 128, 64, 32, 16, 8, 4, 2)%11%10 == last(number)
}

func finland(number string) bool { return weigh(number, 7, 9, 10, 5, 8, 4, 2, 1)%11 == 0 }

func hungary(number string) bool { return weigh(number, 9, 7, 3, 1, 9, 7, 3, 1)%10 == 0 }

// italy: C8 to C10 are the province of the office that gave the number out.
func italy(number string) bool {
	office := value(number[7:10])
	known := office >= 1 && office <= 100 || office == 120 || office == 121 || office == 888 || office == 999
	return value(number[:7]) > 0 && known && luhn(number)
}

// lithuania: the digit before the last is 1 for companies (9) and temporary
// taxpayers (12).
func lithuania(number string) bool {
	n := len(number) - 1
	first, second := 0, 0
	for i := range n {
		first += (1 + i%9) * digit(number[i])
		second += (1 + (i+2)%9) * digit(number[i])
	}
	check := first % 11
	if check == 10 {
		check = second % 11 % 10
	}
	return number[n-1] == '1' && check == last(number)
}

func luxembourg(number string) bool { return value(number[:6])%89 == value(number[6:]) }

func latvianCompany(number string) bool {
	return number[0] > '3' && weigh(number, 9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)%11 == 3
}

func latvianPerson(number string) bool {
	if number[0] == '3' && number[1] >= '2' {
		return true
	}
	century := digit(number[6])
	return number[0] <= '3' && century <= 2 && date(1800+100*century+value(number[4:6]), value(number[2:4]), value(number[:2]))
}

func malta(number string) bool {
	return number[0] != '0' && (weigh(number, 3, 4, 6, 7, 8, 9)+value(number[6:]))%37 == 0
}

func poland(number string) bool {
	return weigh(number, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == last(number)
}

func portugal(number string) bool {
	check := 11 - weigh(number, 9, 8, 7, 6, 5, 4, 3, 2)%11
	if check > 9 {
		check = 0
	}
	return number[0] != '0' && check == last(number)
}

func romania(number string) bool {
	padded := strings.Repeat("0", 10-len(number)) + number
	return number[0] != '0' && weigh(padded, 7, 5, 3, 2, 1, 7, 5, 3, 2)*10%11%10 == last(number)
}

// sweden: the organization number and a running number of the place, 01 to 94.
func sweden(number string) bool {
	place := value(number[10:])
	return place >= 1 && place <= 94 && luhn(number[:10])
}

func slovenia(number string) bool {
	check := 11 - weigh(number, 8, 7, 6, 5, 4, 3, 2)%11
	if check == 10 {
		check = 0
	}
	return number[0] != '0' && check == last(number) // 11 is never given out
}

func slovakia(number string) bool {
	return number[0] != '0' && strings.IndexByte("234789", number[2]) >= 0 && value(number)%11 == 0
}

// britain: two ways, the second since 2009 (the sum plus 55).
func britain(number string) bool {
	rest := weigh(number, 8, 7, 6, 5, 4, 3, 2, 10, 1) % 97
	return rest == 0 || rest == 42 && value(number[:3]) >= 100
}

func switzerland(number string) bool {
	return weigh(number, 5, 4, 3, 2, 7, 6, 5, 4, 1)%11 == 0
}

func norway(number string) bool { return weigh(number, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 }
