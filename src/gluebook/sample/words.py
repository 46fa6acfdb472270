"""Invented vocabulary of the ticket export. Nobody here exists; addresses are RFC 2606 examples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    name: str
    group: str
    subcategories: tuple[str, ...]
    symptoms: tuple[str, ...]


CATEGORIES = (
    Category(
        "Network",
        "Network Operations",
        ("VPN", "Wi-Fi", "DNS", "Proxy, outbound"),
        (
            "VPN drops every few minutes, reconnecting helps for a while",
            'Wi-Fi on floor 3 says "connected", but nothing loads',
            "Name lookup fails for the intranet:\nping by address works,\nping by name does not",
            "Proxy asks for a password again and again",
        ),
    ),
    Category(
        "E-mail and calendar",
        "Collaboration Services",
        ("Mailbox", "Calendar", "Distribution list"),
        (
            "Mailbox is full although everything was deleted",
            'Meeting room shows as "busy", yet nobody booked it',
            "Umlauts arrive broken: Größe becomes GrÃ¶ÃŸe",
            "Distribution list lost its members, all of them",
        ),
    ),
    Category(
        "Hardware",
        "Field Support",
        ("Laptop", "Printer", "Monitor", "Docking station"),
        (
            'Printer on 4º andar reports "tray 2, no paper" with a full tray',
            "Laptop wakes up, fan at full speed, screen stays black",
            "Second monitor flickers\r\nsince the last driver update",
            "Dock charges but shows no Ethernet 🔌",
        ),
    ),
    Category(
        "Business application",
        "Application Support",
        ("Invoicing", "Warehouse", "Time sheet", "Reporting"),
        (
            "Invoice export stops at 99 %, no message",
            "Amounts over 1,000.00 € are cut at the comma",
            "Time sheet can't be submitted: 'Unknown project'",
            "Report shows yesterday's figures, refresh changes nothing",
        ),
    ),
    Category(
        "Access",
        "Identity and Access",
        ("Password", "Role request", "Multi-factor"),
        (
            "Account locked after the password change",
            "Role was granted, application still says no",
            "New phone, second factor can't be moved",
            'Login page answers "session expired" at once',
        ),
    ),
    Category(
        "Data platform",
        "Data Engineering",
        ("Nightly load", "Dashboard", "File transfer"),
        (
            "Nightly load is late, the 06:00 dashboard is empty",
            "File transfer from 東京 delivers file names as question marks",
            'Column "net, local" vanished from the dashboard',
            "Same file was loaded twice; totals are doubled",
        ),
    ),
)

LOCATIONS = (
    "Head office, north wing",
    "Head office, south wing",
    "Zürich, Haus B",
    "São Paulo, 4º andar",
    "Kraków, piętro 2",
    "東京 オフィス",
    "Warehouse 12",
    "Home office",
)

_NAMES = (
    ("Ada Example", "ada"),
    ("Ben Sample", "ben"),
    ("Chloé Exemple", "chloe"),
    ("Dmitri Primer", "dmitri"),
    ("Ece Örnek", "ece"),
    ("Fatima Mithal", "fatima"),
    ("Giulia Esempio", "giulia"),
    ("Hanna Beispiel", "hanna"),
    ("Iñigo Ejemplo", "inigo"),
    ("Jürgen Müster", "juergen"),
    ("Kim Specimen", "kim"),
    ("Łukasz Przykład", "lukasz"),
    ("Māra Paraugs", "mara"),
    ("Noor Voorbeeld", "noor"),
    ("Oona Esimerkki", "oona"),
    ("Pat O'Template", "pat"),
    ("山田 例子", "reiko"),
    ("Søren Prøve", "soren"),
    ("Tamás Példa", "tamas"),
    ("Uma Placeholder, Jr.", "uma"),
)
_DOMAINS = ("example.com", "example.org", "example.net")

CALLERS = tuple(f"{name} <{user}@{domain}>" for name, user in _NAMES for domain in _DOMAINS)
STAFF = tuple(f"{name} <{user}@helpdesk.example.com>" for name, user in _NAMES)

CONTACT_TYPES = ("Phone", "Phone", "Phone", "Email", "Self-service", "Chat")
CONFIGURATION_ITEMS = ("edge-router-2", "mail-gw-1", "print-srv-7", "erp-app-3", "idp-2", "etl-worker-5")
VENDORS = ("Fictional Carrier Ltd.", "Imaginary Prints, Inc.", "Muster & Söhne")
CLOSED_CODES = (
    "Solved (Permanently)",
    "Solved (Work Around)",
    "Not Solved (Not Reproducible)",
    "Closed/Resolved by Caller",
    "Duplicate, see problem",
)
