# The English phrase bank: the best wordings of every claim, the plainest first. A message is named after its claim:
# kind-strength-form, as the headings of policy/lexicon_en.txt. Every attribute is one complete sentence: .a, .b, ... are
# neutral, .warm_a, ... are for the warm tone, and .concise_a, ... are for the concise one, whose whole sentence takes at
# most 40 columns once it is filled. Messages with "group" are the line above several items; it has no full stop.
# Code puts the values in: $item “Walking Boots”, $value Acme or nail polish or navy blue, $times twice or 5 times,
# $ago 1 day ago or 24 days ago, $since 66 days, $every 44 days, $period 30 days, $count and $people numbers.
# Every sentence must be in policy/lexicon_en.txt and follow policy/style_en.txt; tests read them all.

# Words that agree: "this" is the item shown, and $number is "many" if its name is a plural, such as "Walking Boots".
# $article is "no" if the other item's name takes none: "Because you bought “Razor Blades”", but "the “Pink Mug”".

this = { $number ->
    [many] these
   *[one] this
}
it = { $number ->
    [many] them
   *[one] it
}
it-is = { $number ->
    [many] they're
   *[one] it's
}
this-is = { $number ->
    [many] these are
   *[one] this is
}
This-is = { $number ->
    [many] These are
   *[one] This is
}
another-of-theirs = { $number ->
    [many] these are theirs too
   *[one] this is another of theirs
}
the-item = { $article ->
    [no] { $item }
   *[yes] the { $item }
}

# --- the item itself

repeat_purchase-relational =
    .a = You've bought { this } before.
    .warm_a = You've bought { this } before and might want { it } again.
    .warm_b = You've bought { this } before, and you might want to buy { it } again.
    .concise_a = You've bought { this } before.

repeat_purchase-relational-many =
    .a = You've bought { this } { $times }.
    .warm_a = You've bought { this } { $times } and might want { it } again.
    .warm_b = You've bought { this } { $times }, and you might want to buy { it } again.
    .concise_a = You've bought { this } { $times }.

repeat_purchase-relational-ago =
    .a = You bought { this } { $ago }.
    .warm_a = You bought { this } { $ago } and might want { it } again.
    .warm_b = You bought { this } { $ago }, and you might want to buy { it } again.
    .concise_a = You bought { this } { $ago }.

repeat_purchase-relational-many_ago =
    .a = You've bought { this } { $times }, most recently { $ago }.
    .warm_a = You've bought { this } { $times }, most recently { $ago }, and might want { it } again.
    .warm_b = You've ordered { this } { $times }, most recently { $ago }, and might want { it } again.
    .concise_a = You bought { it } { $times }, last { $ago }.

repeat_interval-relational =
    .a = You usually buy { this } about every { $every }, and it's been { $since }.
    .b = You usually buy { this } about every { $every } and last bought { it } { $since } ago.
    .warm_a = You might want { this } again: you buy { it } about every { $every }, and it's been { $since }.
    .warm_b = It might be time again: you buy { this } about every { $every }, and it's been { $since }.

# --- another item, as a cause

history_item-causal =
    .a = Because you bought { the-item }.
    .warm_a = You bought { the-item }, so we picked { this } for you.
    .warm_b = We picked { this } for you because you bought { the-item }.
    .warm_c = You bought { the-item }, so we thought of { this } for you.
    .concise_a = Because you bought { $item }.

history_item-causal-viewed =
    .a = Because you looked at { the-item }.
    .warm_a = You looked at { the-item }, so we picked { this } for you.
    .warm_b = We picked { this } for you because you looked at { the-item }.
    .warm_c = You looked at { the-item }, so we thought of { this } for you.
    .concise_a = Because you viewed { $item }.

history_item-causal-cart =
    .a = Because you have { the-item } in your cart.
    .warm_a = You have { the-item } in your cart, so we picked { this } for you.
    .warm_b = We picked { this } for you because you have { the-item } in your cart.
    .warm_c = You have { the-item } in your cart, so we thought of { this } for you.
    .concise_a = Because of { $item } in your cart.

# --- another item, as one reason among others

history_item-contributory =
    .a = You bought { the-item }, so you might like { this }.
    .warm_a = You bought { the-item }, and we think you might like { this }.
    .warm_b = You bought { the-item }, and we think you'll like { this }.
    .warm_c = You bought { the-item }, so you might like to see { this }.
    .concise_a = You bought { $item }.

history_item-contributory-viewed =
    .a = You looked at { the-item }, so you might like { this }.
    .warm_a = You looked at { the-item }, and we think you might like { this }.
    .warm_b = You looked at { the-item }, and we think you'll like { this }.
    .warm_c = You looked at { the-item }, so you might like to see { this }.
    .concise_a = You viewed { $item }.

history_item-contributory-cart =
    .a = You have { the-item } in your cart, so you might like { this }.
    .warm_a = You have { the-item } in your cart, and we think you might like { this }.
    .warm_b = You have { the-item } in your cart, and we think you'll like { this }.
    .warm_c = You have { the-item } in your cart, so you might like to see { this }.
    .concise_a = You have { $item } in your cart.

# --- likeness

similar_item-relational =
    .a = Similar to the { $item } you bought.
    .warm_a = You bought { the-item }, and you might like something similar.
    .warm_b = You bought { the-item }, and we found you something similar.
    .warm_c = You might like { this }: { it-is } similar to { $item }, which you bought.
    .concise_a = Similar to { $item }.

similar_item-relational-viewed =
    .a = Similar to the { $item } you looked at.
    .warm_a = You looked at { the-item }, and you might like something similar.
    .warm_b = You looked at { the-item }, and we found you something similar.
    .warm_c = You might like { this }: { it-is } similar to { $item }, which you looked at.
    .concise_a = Similar to { $item }.

similar_item-relational-cart =
    .a = Similar to the { $item } in your cart.
    .warm_a = You have { the-item } in your cart, and you might like something similar.
    .warm_b = You have { the-item } in your cart, and we found you something similar.
    .warm_c = You might like { this }: { it-is } similar to the { $item } in your cart.
    .concise_a = Similar to { $item }.

# --- others who bought the other item: nothing that states all four values fits the concise tone

co_purchase-relational =
    .a = { $count } of the { $people } people who bought { the-item } in the last { $period } also bought { this }.
    .warm_a = { $count } of the { $people } people who bought { the-item } in the last { $period } chose { this } too.
    .warm_b = { $people } people bought { the-item } in the last { $period }, and { $count } of them chose { this } too.

co_purchase-relational-viewed =
    .a = { $count } of the { $people } people who bought { the-item } in the last { $period } also bought { this }.
    .warm_a = { $count } of the { $people } people who bought { the-item } in the last { $period } chose { this } too.
    .warm_b = { $people } people bought { the-item } in the last { $period }, and { $count } of them chose { this } too.

co_purchase-relational-cart =
    .a = { $count } of the { $people } people who bought { the-item } in the last { $period } also bought { this }.
    .warm_a = { $count } of the { $people } people who bought { the-item } in the last { $period } chose { this } too.
    .warm_b = { $people } people bought { the-item } in the last { $period }, and { $count } of them chose { this } too.

# --- brand and category

brand-relational =
    .a = You've bought from { $value } { $times }.
    .warm_a = You've chosen { $value } { $times }, and you might like { this } too.
    .warm_b = You've bought from { $value } { $times }, and { another-of-theirs }.
    .warm_c = You've gone for { $value } { $times } before.
    .concise_a = You've bought { $value } { $times }.

category-relational =
    .a = You've bought { $value } { $times }.
    .warm_a = You've bought { $value } { $times }, and you might like { this } too.
    .warm_b = You've bought { $value } { $times } and might like { this }.
    .concise_a = You've bought { $value } { $times }.

category-relational-department =
    .a = You've bought from our { $value } range { $times }.
    .warm_a = You've bought from our { $value } range { $times }, and you might like { this } too.
    .warm_b = You've bought from our { $value } range { $times } and might like { this }.
    .concise_a = You've shopped in { $value } { $times }.

# --- attributes

attribute-relational-colour =
    .a = You've bought something in { $value } { $times }.
    .b = You've chosen { $value } { $times }.
    .c = You've bought things in { $value } { $times }.
    .d = { This-is } in { $value }, which you've chosen { $times }.
    .warm_a = You've chosen { $value } { $times } and might like { this } too.
    .warm_b = You've gone for { $value } { $times } before.
    .concise_a = You've chosen { $value } { $times }.

attribute-relational-material =
    .a = You've bought something made of { $value } { $times }.
    .b = You've chosen { $value } { $times }.
    .c = You've bought things made of { $value } { $times }.
    .d = { This-is } made of { $value }, which you've chosen { $times }.
    .warm_a = You've chosen { $value } { $times } and might like { this } too.
    .warm_b = You've gone for { $value } { $times } before.
    .concise_a = You've chosen { $value } { $times }.

attribute-relational-style =
    .a = You've chosen { $value } styles { $times }.
    .warm_a = You've chosen { $value } styles { $times } and might like { this } too.
    .warm_b = You've gone for { $value } styles { $times } and might like { this } too.
    .concise_a = You've chosen { $value } styles { $times }.

attribute-relational-use =
    .a = You've bought something for { $value } { $times }.
    .b = You've bought things for { $value } { $times }.
    .c = You've shopped for { $value } { $times }.
    .warm_a = You've bought things for { $value } { $times } and might like { this } too.
    .warm_b = You've shopped for { $value } { $times } and might like { this } too.
    .concise_a = You've shopped for { $value } { $times }.

# --- the profile

profile-neutral-likes =
    .a = You like { $value }.
    .b = Your profile says you like { $value }.
    .warm_a = You like { $value }, and you might like { this } too.
    .warm_b = As someone who likes { $value }, you might like { this }.
    .concise_a = You like { $value }.

profile-neutral-mentioned =
    .a = Your profile mentions { $value }.
    .warm_a = Your profile mentions { $value }, and you might like { this }.
    .warm_b = You have { $value } in your profile, and you might like { this }.
    .concise_a = Your profile mentions { $value }.

# --- everyone

popularity-neutral =
    .a = { $count } people bought { this } in the last { $period }.
    .warm_a = { $count } people chose { this } in the last { $period }.
    .warm_b = { $count } people took { this } home in the last { $period }.
    .concise_a = { $count } people bought { it } in the last { $period }.
    .concise_b = { $count } buyers in the last { $period }.

# --- the line above several items

history_item-causal-group =
    .a = Because you bought { the-item }
    .b = You bought { the-item }, so we picked these
    .c = You're seeing these because you bought { the-item }
    .warm_a = You bought { the-item }, so we picked these for you
    .warm_b = We picked these for you because you bought { the-item }
    .concise_a = Because you bought { $item }

history_item-causal-group_viewed =
    .a = Because you looked at { the-item }
    .b = You looked at { the-item }, so we picked these
    .c = You're seeing these because you looked at { the-item }
    .warm_a = You looked at { the-item }, so we picked these for you
    .warm_b = We picked these for you because you looked at { the-item }
    .concise_a = Because you viewed { $item }

history_item-causal-group_cart =
    .a = Because you have { the-item } in your cart
    .b = You have { the-item } in your cart, so we picked these
    .c = You're seeing these because you have { the-item } in your cart
    .warm_a = You have { the-item } in your cart, so we picked these for you
    .warm_b = We picked these for you because you have { the-item } in your cart
    .concise_a = Because of { $item } in your cart

history_item-contributory-group =
    .a = You bought { the-item }, so you might like these
    .b = You bought { the-item }, so you might like these too
    .c = If you liked { the-item }, you might like these too
    .warm_a = You bought { the-item }, and we think you'll like these
    .warm_b = You bought { the-item }, so you might like to see these
    .concise_a = If you liked { $item }

history_item-contributory-group_viewed =
    .a = You looked at { the-item }, so you might like these
    .b = You looked at { the-item }, so you might like these too
    .c = If you like { the-item }, you might like these too
    .warm_a = You looked at { the-item }, and we think you'll like these
    .warm_b = You looked at { the-item }, so you might like to see these
    .concise_a = If you like { $item }

history_item-contributory-group_cart =
    .a = You have { the-item } in your cart, so you might like these
    .b = You have { the-item } in your cart, so you might like these too
    .c = You might like these, since you have { the-item } in your cart
    .warm_a = You have { the-item } in your cart, and we think you'll like these
    .warm_b = You have { the-item } in your cart, so you might like to see these
    .concise_a = If you like { $item }

similar_item-relational-group =
    .a = Similar to { $item }
    .b = More like { the-item }
    .c = Similar to { $item }, which you bought
    .warm_a = You bought { the-item }, and these are similar
    .warm_b = More items like { the-item }
    .concise_a = Similar to { $item }

similar_item-relational-group_viewed =
    .a = Similar to { $item }
    .b = More like { the-item }
    .c = Similar to { $item }, which you looked at
    .warm_a = You looked at { the-item }, and these are similar
    .warm_b = More items like { the-item }
    .concise_a = Similar to { $item }

similar_item-relational-group_cart =
    .a = Similar to { $item }
    .b = More like { the-item }
    .c = Similar to { the-item } in your cart
    .warm_a = You have { the-item } in your cart, and these are similar
    .warm_b = More items like { the-item }
    .concise_a = Similar to { $item }

co_purchase-relational-group =
    .a = People who bought { the-item } also bought
    .b = People who bought { the-item } also bought these
    .c = Shoppers who bought { the-item } also bought these
    .warm_a = People who bought { the-item } also chose these
    .warm_b = People who bought { the-item } went for these too

co_purchase-relational-group_viewed =
    .a = People who bought { the-item } also bought
    .b = People who bought { the-item } also bought these
    .c = Shoppers who bought { the-item } also bought these
    .warm_a = People who bought { the-item } also chose these
    .warm_b = People who bought { the-item } went for these too

co_purchase-relational-group_cart =
    .a = People who bought { the-item } also bought
    .b = People who bought { the-item } also bought these
    .c = Shoppers who bought { the-item } also bought these
    .warm_a = People who bought { the-item } also chose these
    .warm_b = People who bought { the-item } went for these too
