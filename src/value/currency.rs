//! The currencies of ISO 4217, as published on 2026-01-01.

use std::fmt;

/// A currency of ISO 4217.
///
/// Kept as the position in the table, so it takes two bytes; ordered by its letters. What is stored
/// for longer than a run is [`Currency::numeric`], which ISO never gives out twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(u16);

/// What ISO 4217 says of one currency.
struct Entry {
    code: &'static str,
    numeric: u16,
    minor_digits: Option<u8>,
    name: &'static str,
}

impl Currency {
    /// The euro.
    pub const EUR: Currency = Currency(index_of("EUR"));
    /// The dollar of the United States.
    pub const USD: Currency = Currency(index_of("USD"));

    /// The currency with these three capital letters.
    pub fn from_code(code: &str) -> Option<Currency> {
        let index = TABLE.binary_search_by(|entry| entry.code.cmp(code)).ok()?;
        Some(Currency(index as u16))
    }

    /// The currency with this number: 978 is EUR.
    pub fn from_numeric(numeric: u16) -> Option<Currency> {
        let index = TABLE.iter().position(|entry| entry.numeric == numeric)?;
        Some(Currency(index as u16))
    }

    /// The currency that a sign such as `€` stands for, where the sign stands for one alone.
    ///
    /// `$` is read as USD and `£` as GBP, as data files mean them unless they write more; `¥` is left
    /// out, being the sign of both JPY and CNY.
    pub fn from_sign(sign: &str) -> Option<Currency> {
        let code = match sign {
            "€" => "EUR",
            "$" | "US$" => "USD",
            "£" => "GBP",
            "₹" => "INR",
            "₩" => "KRW",
            "₺" => "TRY",
            "₴" => "UAH",
            "₪" => "ILS",
            "₫" => "VND",
            "₱" => "PHP",
            "₦" => "NGN",
            "₸" => "KZT",
            "zł" => "PLN",
            "Kč" => "CZK",
            "元" => "CNY",
            "円" => "JPY",
            _ => return None,
        };
        Currency::from_code(code)
    }

    /// The three letters: `EUR`.
    pub fn code(self) -> &'static str {
        self.entry().code
    }

    /// The number of ISO 4217: 978 for EUR.
    pub fn numeric(self) -> u16 {
        self.entry().numeric
    }

    /// How many digits the smallest amount has behind the point: 2 for EUR, 0 for JPY; none for gold
    /// and other units that are not coined.
    pub fn minor_digits(self) -> Option<u32> {
        self.entry().minor_digits.map(u32::from)
    }

    /// The name in English: `Euro`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// All currencies, ordered by their letters.
    pub fn all() -> impl Iterator<Item = Currency> {
        (0..TABLE.len()).map(|index| Currency(index as u16))
    }

    fn entry(self) -> &'static Entry {
        // The field is private and only ever a position in the table.
        &TABLE[self.0 as usize % TABLE.len()]
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

const fn entry(code: &'static str, numeric: u16, minor_digits: Option<u8>, name: &'static str) -> Entry {
    Entry { code, numeric, minor_digits, name }
}

/// Where a code stands in the table; a code that is missing fails the build.
const fn index_of(code: &str) -> u16 {
    let wanted = code.as_bytes();
    let mut index = 0;
    while index < TABLE.len() {
        let found = TABLE[index].code.as_bytes();
        if found[0] == wanted[0] && found[1] == wanted[1] && found[2] == wanted[2] {
            return index as u16;
        }
        index += 1;
    }
    panic!("no such currency");
}

/// Ordered by the letters. Fund codes and metals are in it, as they are in the standard.
const TABLE: &[Entry] = &[
    entry("AED", 784, Some(2), "UAE Dirham"),
    entry("AFN", 971, Some(2), "Afghani"),
    entry("ALL", 8, Some(2), "Lek"),
    entry("AMD", 51, Some(2), "Armenian Dram"),
    entry("AOA", 973, Some(2), "Kwanza"),
    entry("ARS", 32, Some(2), "Argentine Peso"),
    entry("AUD", 36, Some(2), "Australian Dollar"),
    entry("AWG", 533, Some(2), "Aruban Florin"),
    entry("AZN", 944, Some(2), "Azerbaijan Manat"),
    entry("BAM", 977, Some(2), "Convertible Mark"),
    entry("BBD", 52, Some(2), "Barbados Dollar"),
    entry("BDT", 50, Some(2), "Taka"),
    entry("BHD", 48, Some(3), "Bahraini Dinar"),
    entry("BIF", 108, Some(0), "Burundi Franc"),
    entry("BMD", 60, Some(2), "Bermudian Dollar"),
    entry("BND", 96, Some(2), "Brunei Dollar"),
    entry("BOB", 68, Some(2), "Boliviano"),
    entry("BOV", 984, Some(2), "Mvdol"),
    entry("BRL", 986, Some(2), "Brazilian Real"),
    entry("BSD", 44, Some(2), "Bahamian Dollar"),
    entry("BTN", 64, Some(2), "Ngultrum"),
    entry("BWP", 72, Some(2), "Pula"),
    entry("BYN", 933, Some(2), "Belarusian Ruble"),
    entry("BZD", 84, Some(2), "Belize Dollar"),
    entry("CAD", 124, Some(2), "Canadian Dollar"),
    entry("CDF", 976, Some(2), "Congolese Franc"),
    entry("CHE", 947, Some(2), "WIR Euro"),
    entry("CHF", 756, Some(2), "Swiss Franc"),
    entry("CHW", 948, Some(2), "WIR Franc"),
    entry("CLF", 990, Some(4), "Unidad de Fomento"),
    entry("CLP", 152, Some(0), "Chilean Peso"),
    entry("CNY", 156, Some(2), "Yuan Renminbi"),
    entry("COP", 170, Some(2), "Colombian Peso"),
    entry("COU", 970, Some(2), "Unidad de Valor Real"),
    entry("CRC", 188, Some(2), "Costa Rican Colon"),
    entry("CUP", 192, Some(2), "Cuban Peso"),
    entry("CVE", 132, Some(2), "Cabo Verde Escudo"),
    entry("CZK", 203, Some(2), "Czech Koruna"),
    entry("DJF", 262, Some(0), "Djibouti Franc"),
    entry("DKK", 208, Some(2), "Danish Krone"),
    entry("DOP", 214, Some(2), "Dominican Peso"),
    entry("DZD", 12, Some(2), "Algerian Dinar"),
    entry("EGP", 818, Some(2), "Egyptian Pound"),
    entry("ERN", 232, Some(2), "Nakfa"),
    entry("ETB", 230, Some(2), "Ethiopian Birr"),
    entry("EUR", 978, Some(2), "Euro"),
    entry("FJD", 242, Some(2), "Fiji Dollar"),
    entry("FKP", 238, Some(2), "Falkland Islands Pound"),
    entry("GBP", 826, Some(2), "Pound Sterling"),
    entry("GEL", 981, Some(2), "Lari"),
    entry("GHS", 936, Some(2), "Ghana Cedi"),
    entry("GIP", 292, Some(2), "Gibraltar Pound"),
    entry("GMD", 270, Some(2), "Dalasi"),
    entry("GNF", 324, Some(0), "Guinean Franc"),
    entry("GTQ", 320, Some(2), "Quetzal"),
    entry("GYD", 328, Some(2), "Guyana Dollar"),
    entry("HKD", 344, Some(2), "Hong Kong Dollar"),
    entry("HNL", 340, Some(2), "Lempira"),
    entry("HTG", 332, Some(2), "Gourde"),
    entry("HUF", 348, Some(2), "Forint"),
    entry("IDR", 360, Some(2), "Rupiah"),
    entry("ILS", 376, Some(2), "New Israeli Sheqel"),
    entry("INR", 356, Some(2), "Indian Rupee"),
    entry("IQD", 368, Some(3), "Iraqi Dinar"),
    entry("IRR", 364, Some(2), "Iranian Rial"),
    entry("ISK", 352, Some(0), "Iceland Krona"),
    entry("JMD", 388, Some(2), "Jamaican Dollar"),
    entry("JOD", 400, Some(3), "Jordanian Dinar"),
    entry("JPY", 392, Some(0), "Yen"),
    entry("KES", 404, Some(2), "Kenyan Shilling"),
    entry("KGS", 417, Some(2), "Som"),
    entry("KHR", 116, Some(2), "Riel"),
    entry("KMF", 174, Some(0), "Comorian Franc"),
    entry("KPW", 408, Some(2), "North Korean Won"),
    entry("KRW", 410, Some(0), "Won"),
    entry("KWD", 414, Some(3), "Kuwaiti Dinar"),
    entry("KYD", 136, Some(2), "Cayman Islands Dollar"),
    entry("KZT", 398, Some(2), "Tenge"),
    entry("LAK", 418, Some(2), "Lao Kip"),
    entry("LBP", 422, Some(2), "Lebanese Pound"),
    entry("LKR", 144, Some(2), "Sri Lanka Rupee"),
    entry("LRD", 430, Some(2), "Liberian Dollar"),
    entry("LSL", 426, Some(2), "Loti"),
    entry("LYD", 434, Some(3), "Libyan Dinar"),
    entry("MAD", 504, Some(2), "Moroccan Dirham"),
    entry("MDL", 498, Some(2), "Moldovan Leu"),
    entry("MGA", 969, Some(2), "Malagasy Ariary"),
    entry("MKD", 807, Some(2), "Denar"),
    entry("MMK", 104, Some(2), "Kyat"),
    entry("MNT", 496, Some(2), "Tugrik"),
    entry("MOP", 446, Some(2), "Pataca"),
    entry("MRU", 929, Some(2), "Ouguiya"),
    entry("MUR", 480, Some(2), "Mauritius Rupee"),
    entry("MVR", 462, Some(2), "Rufiyaa"),
    entry("MWK", 454, Some(2), "Malawi Kwacha"),
    entry("MXN", 484, Some(2), "Mexican Peso"),
    entry("MXV", 979, Some(2), "Mexican Unidad de Inversion (UDI)"),
    entry("MYR", 458, Some(2), "Malaysian Ringgit"),
    entry("MZN", 943, Some(2), "Mozambique Metical"),
    entry("NAD", 516, Some(2), "Namibia Dollar"),
    entry("NGN", 566, Some(2), "Naira"),
    entry("NIO", 558, Some(2), "Cordoba Oro"),
    entry("NOK", 578, Some(2), "Norwegian Krone"),
    entry("NPR", 524, Some(2), "Nepalese Rupee"),
    entry("NZD", 554, Some(2), "New Zealand Dollar"),
    entry("OMR", 512, Some(3), "Rial Omani"),
    entry("PAB", 590, Some(2), "Balboa"),
    entry("PEN", 604, Some(2), "Sol"),
    entry("PGK", 598, Some(2), "Kina"),
    entry("PHP", 608, Some(2), "Philippine Peso"),
    entry("PKR", 586, Some(2), "Pakistan Rupee"),
    entry("PLN", 985, Some(2), "Zloty"),
    entry("PYG", 600, Some(0), "Guarani"),
    entry("QAR", 634, Some(2), "Qatari Rial"),
    entry("RON", 946, Some(2), "Romanian Leu"),
    entry("RSD", 941, Some(2), "Serbian Dinar"),
    entry("RUB", 643, Some(2), "Russian Ruble"),
    entry("RWF", 646, Some(0), "Rwanda Franc"),
    entry("SAR", 682, Some(2), "Saudi Riyal"),
    entry("SBD", 90, Some(2), "Solomon Islands Dollar"),
    entry("SCR", 690, Some(2), "Seychelles Rupee"),
    entry("SDG", 938, Some(2), "Sudanese Pound"),
    entry("SEK", 752, Some(2), "Swedish Krona"),
    entry("SGD", 702, Some(2), "Singapore Dollar"),
    entry("SHP", 654, Some(2), "Saint Helena Pound"),
    entry("SLE", 925, Some(2), "Leone"),
    entry("SOS", 706, Some(2), "Somali Shilling"),
    entry("SRD", 968, Some(2), "Surinam Dollar"),
    entry("SSP", 728, Some(2), "South Sudanese Pound"),
    entry("STN", 930, Some(2), "Dobra"),
    entry("SVC", 222, Some(2), "El Salvador Colon"),
    entry("SYP", 760, Some(2), "Syrian Pound"),
    entry("SZL", 748, Some(2), "Lilangeni"),
    entry("THB", 764, Some(2), "Baht"),
    entry("TJS", 972, Some(2), "Somoni"),
    entry("TMT", 934, Some(2), "Turkmenistan New Manat"),
    entry("TND", 788, Some(3), "Tunisian Dinar"),
    entry("TOP", 776, Some(2), "Pa’anga"),
    entry("TRY", 949, Some(2), "Turkish Lira"),
    entry("TTD", 780, Some(2), "Trinidad and Tobago Dollar"),
    entry("TWD", 901, Some(2), "New Taiwan Dollar"),
    entry("TZS", 834, Some(2), "Tanzanian Shilling"),
    entry("UAH", 980, Some(2), "Hryvnia"),
    entry("UGX", 800, Some(0), "Uganda Shilling"),
    entry("USD", 840, Some(2), "US Dollar"),
    entry("USN", 997, Some(2), "US Dollar (Next day)"),
    entry("UYI", 940, Some(0), "Uruguay Peso en Unidades Indexadas (UI)"),
    entry("UYU", 858, Some(2), "Peso Uruguayo"),
    entry("UYW", 927, Some(4), "Unidad Previsional"),
    entry("UZS", 860, Some(2), "Uzbekistan Sum"),
    entry("VED", 926, Some(2), "Bolívar Soberano"),
    entry("VES", 928, Some(2), "Bolívar Soberano"),
    entry("VND", 704, Some(0), "Dong"),
    entry("VUV", 548, Some(0), "Vatu"),
    entry("WST", 882, Some(2), "Tala"),
    entry("XAD", 396, Some(2), "Arab Accounting Dinar"),
    entry("XAF", 950, Some(0), "CFA Franc BEAC"),
    entry("XAG", 961, None, "Silver"),
    entry("XAU", 959, None, "Gold"),
    entry("XBA", 955, None, "Bond Markets Unit European Composite Unit (EURCO)"),
    entry("XBB", 956, None, "Bond Markets Unit European Monetary Unit (E.M.U.-6)"),
    entry("XBC", 957, None, "Bond Markets Unit European Unit of Account 9 (E.U.A.-9)"),
    entry("XBD", 958, None, "Bond Markets Unit European Unit of Account 17 (E.U.A.-17)"),
    entry("XCD", 951, Some(2), "East Caribbean Dollar"),
    entry("XCG", 532, Some(2), "Caribbean Guilder"),
    entry("XDR", 960, None, "SDR (Special Drawing Right)"),
    entry("XOF", 952, Some(0), "CFA Franc BCEAO"),
    entry("XPD", 964, None, "Palladium"),
    entry("XPF", 953, Some(0), "CFP Franc"),
    entry("XPT", 962, None, "Platinum"),
    entry("XSU", 994, None, "Sucre"),
    entry("XTS", 963, None, "Codes specifically reserved for testing purposes"),
    entry("XUA", 965, None, "ADB Unit of Account"),
    entry("XXX", 999, None, "The codes assigned for transactions where no currency is involved"),
    entry("YER", 886, Some(2), "Yemeni Rial"),
    entry("ZAR", 710, Some(2), "Rand"),
    entry("ZMW", 967, Some(2), "Zambian Kwacha"),
    entry("ZWG", 924, Some(2), "Zimbabwe Gold"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ordered_and_its_codes_and_numbers_are_unique() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        let mut numbers: Vec<_> = TABLE.iter().map(|entry| entry.numeric).collect();
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(TABLE.iter().all(|entry| entry.code.len() == 3 && entry.code.bytes().all(|b| b.is_ascii_uppercase())));
    }

    #[test]
    fn currencies_are_found_by_letters_number_and_sign() {
        for currency in Currency::all() {
            assert_eq!(Currency::from_code(currency.code()), Some(currency));
            assert_eq!(Currency::from_numeric(currency.numeric()), Some(currency));
        }
        assert_eq!(Currency::from_code("EUR"), Some(Currency::EUR));
        assert_eq!(Currency::from_sign("$"), Some(Currency::USD));
        assert_eq!(Currency::from_code("eur"), None);
        assert_eq!(Currency::from_code(""), None);
        assert_eq!(Currency::from_code("JPY").and_then(Currency::minor_digits), Some(0));
        assert_eq!(Currency::from_code("KWD").and_then(Currency::minor_digits), Some(3));
        assert_eq!(Currency::from_code("XAU").and_then(Currency::minor_digits), None);
    }
}
